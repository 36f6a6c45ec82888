/** Clients in other languages: made once, kept in the repository's cache. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startDriver } from './driver-process.ts'
import type { InteropClient } from './interop-client.ts'

const here = import.meta.dirname
const cache = resolve(here, '../../.kre/cache/interop')

/** How to start the client, or why this computer can't. */
export type Prepared = { start: () => InteropClient } | { reason: string }

/** grpcio in a virtual environment of its own, once per set of pins. */
export function preparePython(): Prepared {
  const requirements = join(here, 'python/requirements.txt')
  const folder = join(cache, `python-${digestOf([requirements])}`)
  const python = join(folder, 'bin/python')
  const start = () => startDriver(python, [join(here, 'python/client.py')])
  if (existsSync(join(folder, 'ready'))) return { start }
  mkdirSync(folder, { recursive: true })
  const problem =
    firstProblem('python3 with venv and pip is missing', 'python3', [
      '-m',
      'venv',
      '--clear',
      folder,
    ]) ??
    firstProblem('grpcio can not be installed', python, [
      '-m',
      'pip',
      'install',
      '--quiet',
      '-r',
      requirements,
    ])
  if (problem !== null) return { reason: problem }
  writeFileSync(join(folder, 'ready'), '')
  return { start }
}

/** grpc-go, built once per state of the sources. */
export function prepareGo(): Prepared {
  const folder = join(here, 'go')
  const sources = ['go.mod', 'go.sum', 'main.go', 'reflection.go'].map((name) => join(folder, name))
  const binary = join(cache, `go-${digestOf(sources)}`)
  const start = () => startDriver(binary, [])
  if (existsSync(binary)) return { start }
  mkdirSync(cache, { recursive: true })
  const problem = firstProblem(
    'grpc-go can not be built',
    'go',
    ['build', '-o', binary, '.'],
    folder,
  )
  return problem === null ? { start } : { reason: problem }
}

function firstProblem(what: string, command: string, args: string[], cwd = here): string | null {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status === 0) return null
  return `${what}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}
