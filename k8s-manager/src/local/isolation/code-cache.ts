/**
 * Compiled code for isolated processes. None of them may write what another one runs: the runner's is made once, by a
 * runner that has nothing to run, and each replica gets a folder of its own with that in it, to which it adds what
 * its handlers compile to. Without the latter, each start would load the compiler of TypeScript and keep it in memory.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
} from 'node:fs'
import { join } from 'node:path'

export type CodeCache = {
  /**
   * Makes a replica's folder, or brings that of an earlier process up to date.
   *
   * @param folder in one that only the engine writes.
   * @param uid whose it is; null = the engine's.
   */
  give(folder: string, uid: number | null): void
}

export async function warmCodeCache(
  folder: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CodeCache> {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const [file = '', ...args] = command
  const child = spawn(file, args, {
    // Without a launch file it loads everything and ends.
    env: { ...env, NODE_COMPILE_CACHE: folder },
    stdio: 'ignore',
  })
  await once(child, 'close')
  const ending = `-${process.getuid?.() ?? ''}`
  const names = readdirSync(folder).filter((name) => name.endsWith(ending))
  for (const name of names) {
    chmodSync(join(folder, name), 0o755)
    for (const entry of readdirSync(join(folder, name))) chmodSync(join(folder, name, entry), 0o644)
  }
  return {
    give(to, uid) {
      mkdirSync(to, { recursive: true, mode: 0o755 })
      for (const name of names) {
        // Node looks for a folder with its user's number.
        const own = join(to, uid === null ? name : `${name.slice(0, -ending.length)}-${uid}`)
        const isNew = mkdirSync(own, { recursive: true, mode: 0o755 }) !== undefined
        if (isNew && uid !== null) chownSync(own, uid, uid)
        for (const entry of readdirSync(join(folder, name)))
          share(join(folder, name, entry), join(own, entry), uid !== null)
      }
    },
  }
}

/** @param isForeign the replica's user is not the file's: it can read, but not write it. */
function share(from: string, to: string, isForeign: boolean): void {
  try {
    if (isForeign) linkSync(from, to)
    else copyFileSync(from, to, constants.COPYFILE_EXCL)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // EEXIST: from an earlier process, or the replica's own. The others: it is on
    // another disk than the data, or has as many names as a file can have.
    if (code === 'EXDEV' || code === 'EMLINK') share(from, to, false)
    else if (code !== 'EEXIST') throw error
  }
}
