import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { keyPairFromSeed } from '../keys/nkey.ts'
import type { ServerKeys } from './server-keys.ts'

/** Where a server without accounts keeps its streams. */
const GLOBAL_ACCOUNT = '$G'

/**
 * Streams lie in a folder that is named after their account. Those of an engine of before accounts, or of keys that were
 * lost, are given to the engine's account of today. The server must not be running.
 *
 * @param storeDir `store_dir` of the server.
 * @returns the name that they had, or null when there was nothing to do.
 */
export async function moveStore(storeDir: string, keys: ServerKeys): Promise<string | null> {
  const dir = join(storeDir, 'jetstream')
  const engine = keyPairFromSeed('account', keys.engine).publicKey
  const names: string[] = await readdir(dir).catch(() => []) // no server has run here
  if (names.includes(engine)) return null
  const former = names.find((name) => name === GLOBAL_ACCOUNT || /^A[A-Z2-7]{55}$/.test(name))
  if (former === undefined) return null
  await rename(join(dir, former), join(dir, engine))
  return former
}
