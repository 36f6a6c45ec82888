import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import type { BundleStore } from '../ports/store.ts'
import { toKreError } from '../sqlite/to-kre-error.ts'

/** Lower-case hexadecimal sha256: a digest is a file name here, so nothing else may pass. */
const DIGEST = /^[0-9a-f]{64}$/

/**
 * Archives as files `<digest>.krt` of a folder. A file has its name only after its bytes are on the disk.
 *
 * @param dir made when missing, mode 0700.
 * @param options.isUsed whether a version has the archive; others are what a crash left between an archive and its
 *   version.
 * @param options.isAlone nobody else works on the folder: what crashes left is removed, and `scratch` emptied.
 */
export async function openFolderBundleStore(
  dir: string,
  { isUsed, isAlone }: { isUsed: (digest: string) => Promise<boolean>; isAlone: boolean },
): Promise<BundleStore> {
  const scratchDir = join(dir, 'scratch')
  await guarded(dir, async () => {
    if (isAlone) await rm(scratchDir, { recursive: true, force: true })
    await mkdir(scratchDir, { recursive: true, mode: 0o700 })
    if (!isAlone) return
    for (const name of await readdir(dir)) {
      const digest = name.endsWith('.krt') ? name.slice(0, -'.krt'.length) : ''
      if (DIGEST.test(digest) && !(await isUsed(digest))) await rm(join(dir, name), { force: true })
    }
  })
  const fileOf = (digest: string): string => {
    if (!DIGEST.test(digest))
      throw new KreError(
        'invalid-argument',
        `"${digest.slice(0, 100)}" is not a digest: use the 64 hexadecimal characters of a sha256`,
      )
    return join(dir, `${digest}.krt`)
  }
  const has = async (digest: string): Promise<boolean> => exists(fileOf(digest))

  return {
    scratchDir,
    has,
    async put(digest, file) {
      const target = fileOf(digest)
      await guarded(dir, async () => {
        // A second call after a crash: the first one has moved it.
        if (!(await exists(file)) && (await exists(target))) return
        await chmod(file, 0o600)
        await flush(file)
        await rename(file, target)
        await flush(dir)
      })
    },
    async path(digest) {
      if (await has(digest)) return fileOf(digest)
      throw new KreError(
        'not-found',
        `the archive of bundle ${digest} is not in the store: upload the bundle again`,
        { digest },
      )
    },
    async remove(digest) {
      const target = fileOf(digest)
      await guarded(dir, async () => {
        await rm(target, { force: true })
        await flush(dir)
      })
    },
  }
}

async function flush(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw toKreError(error, path)
    },
  )
}

async function guarded<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toKreError(error, dir)
  }
}
