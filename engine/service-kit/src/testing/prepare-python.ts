/** A Python with protobuf for tests, made once per checkout. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The last release for Python 3.9. */
const PROTOBUF = 'protobuf==6.33.6'
const CACHE = resolve(import.meta.dirname, '../../../../.kre/cache/python-tests')
/** Making it takes seconds; a lock this old belongs to a process that was killed. */
const LOCK_AGE_MS_MAX = 5 * 60_000
const LOOK_MS = 200

/** @returns the interpreter, or why there is none; blocks while it is made, here or in another test process. */
export function preparePython(): { executable: string } | { reason: string } {
  const folder = join(CACHE, PROTOBUF)
  const lock = `${folder}.lock`
  mkdirSync(dirname(folder), { recursive: true })
  for (;;) {
    if (existsSync(join(folder, 'ready'))) return { executable: join(folder, 'bin/python') }
    if (!takeLock(lock)) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS)
      continue
    }
    try {
      return install(folder)
    } finally {
      rmdirSync(lock)
    }
  }
}

function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const made = statSync(lock, { throwIfNoEntry: false })
  if (made !== undefined && Date.now() - made.mtimeMs > LOCK_AGE_MS_MAX) rmdirSync(lock)
  return false
}

function install(folder: string): { executable: string } | { reason: string } {
  const executable = join(folder, 'bin/python')
  const ready = join(folder, 'ready')
  if (existsSync(ready)) return { executable }
  const steps: [what: string, command: string, args: string[]][] = [
    ['python3 with venv and pip is missing', 'python3', ['-m', 'venv', '--clear', folder]],
    [`${PROTOBUF} can't be installed`, executable, ['-m', 'pip', 'install', '--quiet', PROTOBUF]],
  ]
  for (const [what, command, args] of steps) {
    const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
    const detail = error?.message ?? stderr?.trim().split('\n').at(-1) ?? ''
    if (status !== 0) return { reason: `${what}: ${detail}` }
  }
  writeFileSync(ready, '')
  return { executable }
}
