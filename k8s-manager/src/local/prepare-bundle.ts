/** A bundle's files as its nodes need them: extracted, without types, with the descriptors and modules of its protos. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { writeCode } from '../write-code.ts'

type PreparedBundle = {
  /** Root of the extracted bundle. */
  readonly basePath: string
  readonly descriptorSetPath: string
  /** Folder with the generated `*_pb2` modules. */
  readonly pythonModules: string
  /** Its TypeScript as JavaScript; null = there is none, or it could not be made. */
  readonly strippedPath: string | null
}

export type BundleTools = {
  extractBundle(archivePath: string, digest: string, directory: string): Promise<void>
  writePythonModules(descriptorSet: Uint8Array, directory: string): Promise<void>
  /** @param files paths of all files in it. */
  stripBundle(archivePath: string, files: readonly string[]): Promise<Map<string, string>>
}

export type PreparedBundles = {
  /** Once per digest, however many nodes ask. A failure is forgotten: the next call tries again. */
  prepare(digest: string): Promise<PreparedBundle>
  /** Removes the files of all other bundles; those being prepared stay. */
  keepOnly(digests: Iterable<string>): void
}

/** @param cacheDir one folder per digest; whole when its `complete` marker is there. */
export function createPreparedBundles(
  cacheDir: string,
  sources: {
    path(digest: string): Promise<string>
    descriptorSet(digest: string): Promise<Uint8Array>
    tools: BundleTools
    /** Types could not be stripped: each process of a node does it, which takes more time and memory. */
    onUnstripped(digest: string, error: unknown): void
  },
): PreparedBundles {
  const underWay = new Map<string, Promise<PreparedBundle>>()
  mkdirSync(cacheDir, { recursive: true })

  const prepare = async (digest: string): Promise<PreparedBundle> => {
    const home = join(cacheDir, folderName(digest))
    const bundle = {
      basePath: join(home, 'files'),
      descriptorSetPath: join(home, 'descriptors.bin'),
      pythonModules: join(home, 'python'),
    }
    const stripped = join(home, 'stripped')
    const marker = join(home, 'complete')
    const whole = () => ({ ...bundle, strippedPath: existsSync(stripped) ? stripped : null })
    if (existsSync(marker)) return whole()
    removeTree(home)
    mkdirSync(bundle.pythonModules, { recursive: true })
    const [descriptors, archive] = await Promise.all([
      sources.descriptorSet(digest),
      sources.path(digest),
    ])
    await sources.tools.extractBundle(archive, digest, bundle.basePath)
    const code = await sources.tools
      .stripBundle(archive, await filesIn(bundle.basePath))
      .catch((error: unknown) => {
        sources.onUnstripped(digest, error)
        return new Map<string, string>()
      })
    await writeCode(code, bundle.basePath, stripped)
    writeFileSync(bundle.descriptorSetPath, descriptors)
    await sources.tools.writePythonModules(descriptors, bundle.pythonModules)
    writeFileSync(marker, digest)
    return whole()
  }

  return {
    prepare(digest) {
      let promise = underWay.get(digest)
      if (promise === undefined) {
        promise = prepare(digest).finally(() => underWay.delete(digest))
        underWay.set(digest, promise)
      }
      return promise
    },
    keepOnly(digests) {
      const kept = new Set([...digests, ...underWay.keys()].map(folderName))
      for (const name of readdirSync(cacheDir))
        if (!kept.has(name)) removeTree(join(cacheDir, name))
    },
  }
}

/** Paths of all files below a folder. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
}

/** `sha256:ab…` and `ab…` alike give a name that can't lead elsewhere. */
function folderName(digest: string): string {
  return digest.replaceAll(/[^A-Za-z0-9-]/g, '-')
}

/** Bundles are extracted read-only, and only a writable folder lets its entries go. */
export function removeTree(path: string): void {
  if (!existsSync(path)) return
  const doomed = `${path}.${randomUUID().slice(0, 8)}.removed`
  renameSync(path, doomed)
  makeWritable(doomed)
  rmSync(doomed, { recursive: true, force: true })
}

function makeWritable(directory: string): void {
  chmodSync(directory, 0o700)
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) makeWritable(join(directory, entry.name))
}
