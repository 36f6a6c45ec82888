import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { toKreError } from './to-kre-error.ts'

/** Made after the control data, and never without it. */
const FOLLOWERS = ['outputs.sqlite', 'audit.sqlite']

/**
 * An engine without its control data knows no runtimes, so it would end what runs, and remove the archives that no
 * version names: putting the file back would not help any more.
 *
 * @throws KreError `failed-precondition` when the control data is gone or empty where other data is there.
 */
export async function refuseLostControl(dataDir: string, control: string): Promise<void> {
  const path = join(dataDir, control)
  try {
    // The others first: while another engine makes all of them, it makes this one before them.
    const followers = await followersIn(dataDir)
    if (followers.length === 0 || (await sizeOf(path)) > 0) return
    throw new KreError(
      'failed-precondition',
      `the database ${path} is gone or empty, and ${followers.join(', ')} beside it ${followers.length === 1 ? 'is' : 'are'} not: put it back from a backup; to begin anew, choose another folder with --data, or remove this one, which loses all that is in it`,
    )
  } catch (error) {
    throw toKreError(error, path)
  }
}

async function followersIn(dataDir: string): Promise<string[]> {
  const found: string[] = []
  for (const name of FOLLOWERS) if ((await sizeOf(join(dataDir, name))) > 0) found.push(name)
  const archives = await unlessGone(readdir(join(dataDir, 'bundles')), [])
  if (archives.some((name) => name.endsWith('.krt'))) found.push('bundles')
  return found
}

async function sizeOf(path: string): Promise<number> {
  return unlessGone(
    stat(path).then(({ size }) => size),
    0,
  )
}

async function unlessGone<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  return reading.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return otherwise
    throw error
  })
}
