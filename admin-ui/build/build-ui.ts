import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { compressFolder } from './compress.ts'
import { contentStamp } from './content-stamp.ts'
import { uiRoot, viteConfig } from './vite-config.ts'

/** Where the built UI lies; the admin API serves it from there. */
const DIST = join(uiRoot, 'dist')
const STAMP = 'stamp'
/** Two builds at once exchange the folder one after the other; more tries than that are not a race. */
const EXCHANGES_MAX = 5

/**
 * Builds the UI into `dist/`, unless what is there was made of the same sources. The folder is exchanged as a whole:
 * whoever is served meanwhile gets the old one.
 *
 * @param options.base where a static server will have it, for example `/ui/`; absent = the admin API serves it, below
 * any path.
 * @param options.out absent = `dist/`.
 * @returns whether it was built.
 */
export async function buildUi(
  options: { force?: boolean; base?: string | null; out?: string | null } = {},
): Promise<boolean> {
  const base = options.base ?? viteConfig.base ?? './'
  const dist = resolve(options.out ?? DIST)
  const stamp = `${await contentStamp()} ${base}`
  if (options.force !== true && (await stampOf(dist)) === stamp) return false
  // Loaded only where something is to be built: most of the time nothing is.
  const { build } = await import('vite')
  const fresh = await mkdtemp(`${dist}-`)
  try {
    await build({
      ...viteConfig,
      base,
      logLevel: 'warn',
      build: { ...viteConfig.build, outDir: fresh, emptyOutDir: true },
    })
    await compressFolder(join(fresh, 'assets'))
    await writeFile(join(fresh, STAMP), stamp)
    await exchange(fresh, dist)
    return true
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function stampOf(folder: string): Promise<string | null> {
  return readFile(join(folder, STAMP), 'utf8').catch(() => null)
}

/** Puts the fresh folder in the place of the old one. */
async function exchange(fresh: string, dist: string): Promise<void> {
  const old = `${fresh}-old`
  for (let tries = 1; ; tries += 1) {
    await rename(dist, old).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    try {
      await rename(fresh, dist)
      break
    } catch (error) {
      // Another build has put its own there in between.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || tries >= EXCHANGES_MAX)
        throw error
    } finally {
      await rm(old, { recursive: true, force: true })
    }
  }
}
