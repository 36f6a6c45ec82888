/**
 * FerretDB 1.24 with its SQLite inside: what speaks MongoDB's protocol where no MongoDB is. Built once from the Go
 * module and kept beside the other things that can be made again.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const FERRETDB_VERSION = '1.24.0'
const MODULE = `github.com/FerretDB/FerretDB@v${FERRETDB_VERSION}`
/** `go.sum` form of the module's content; Go itself checks everything below it. */
const MODULE_SUM = 'h1:7WJmezL48Bj9bYWnhT/bEJgX5gjT5s7LFdHTqkN25rA='

/** @returns the path of an executable. @throws Error with the reason, when Go isn't there or can't build it. */
export async function findFerretdb(options: {
  /** Folder for the server, kept between runs. */
  cacheDir: string
  /** Called before work that takes longer than a moment. */
  onProgress: (message: string) => void
}): Promise<string> {
  const built = join(options.cacheDir, `ferretdb-${FERRETDB_VERSION}`, 'ferretdb')
  if (await isFile(built)) return built
  await run('go', ['version'])
  options.onProgress(`building FerretDB ${FERRETDB_VERSION} with Go, once: this takes minutes`)
  await mkdir(options.cacheDir, { recursive: true })
  // In a folder of its own and renamed when it is whole: several test files may want it at once.
  const scratch = await mkdtemp(join(options.cacheDir, 'get-'))
  try {
    await mkdir(dirname(built), { recursive: true })
    await rename(await build(scratch), built)
    return built
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function build(scratch: string): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', MODULE])
  const { Dir: dir, Sum: sum } = JSON.parse(stdout) as { Dir: string; Sum: string }
  if (sum !== MODULE_SUM) throw new Error(`${MODULE} has the unknown sum ${sum}`)
  const source = join(scratch, 'source')
  await cp(dir, source, { recursive: true })
  // Modules are read-only in Go's cache.
  await run('chmod', ['-R', 'u+w', source])
  // Files that a release is built with and that the module lacks; without them it ends at once.
  const texts = {
    version: `v${FERRETDB_VERSION}`,
    commit: 'unknown',
    branch: 'unknown',
    package: 'unknown',
  }
  for (const [name, text] of Object.entries(texts))
    await writeFile(join(source, 'build/version', `${name}.txt`), text)
  const binary = join(scratch, 'ferretdb')
  const flags = ['-mod=mod', '-buildvcs=false', '-tags', 'ferretdb_hana_no']
  await run(
    'env',
    ['CGO_ENABLED=0', 'GOWORK=off', 'go', 'build', ...flags, '-o', binary, './cmd/ferretdb'],
    { cwd: source, maxBuffer: 16 * 1024 * 1024 },
  )
  return binary
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
