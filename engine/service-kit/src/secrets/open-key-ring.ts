import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { readMasterKeyFile, writeMasterKeyFile } from './master-key-file.ts'
import { makeMasterKey, type MasterKeys, parseMasterKeys } from './master-keys.ts'
import type { Secret } from './secret.ts'

export type MasterKeySource = {
  /** Keys as text, from the environment; null = not given. */
  text: Secret | null
  /** A file of the operator's; null = not given. */
  file: string | null
  /** Where the engine keeps a file of its own when nothing is given. */
  dataDir: string
}

export type OpenedKeyRing = {
  readonly ring: KeyRing
  /** For people: a path, or the variable. */
  readonly source: string
  /** Puts the keys where they came from. Null = they came from where the engine can't write. */
  readonly save: ((keys: MasterKeys) => Promise<void>) | null
  /** Takes over what another engine has made of the file meanwhile; keys of the environment stay. */
  readonly reload: () => Promise<void>
}

/**
 * Opens the master keys: of the environment, of a file, or of the engine's own file, which is made when nothing was
 * sealed yet.
 *
 * @param hasSealedValues whether the store has values that need a key: then none is made.
 * @throws KreError `failed-precondition` for a missing, damaged or unsafe key; says how to recover.
 */
export async function openKeyRing(
  { text, file, dataDir }: MasterKeySource,
  hasSealedValues: () => Promise<boolean>,
): Promise<OpenedKeyRing> {
  if (text !== null && file !== null)
    throw invalid('KRE_MASTER_KEY and KRE_MASTER_KEY_FILE are both set: set one of them')
  if (text !== null) {
    const source = 'KRE_MASTER_KEY'
    const ring = createKeyRing(parseMasterKeys(text.reveal(), source))
    return { ring, source, save: null, reload: async () => undefined }
  }
  const path = file ?? join(dataDir, 'master-key')
  const keys = (await readMasterKeyFile(path)) ?? (await makeKeys(path, file, hasSealedValues))
  const ring = createKeyRing(keys)
  return {
    ring,
    source: path,
    save: (next) => writeMasterKeyFile(path, next),
    async reload() {
      const now = await readMasterKeyFile(path)
      if (now !== null) ring.replace(now)
    },
  }
}

async function makeKeys(
  path: string,
  wanted: string | null,
  hasSealedValues: () => Promise<boolean>,
): Promise<MasterKeys> {
  if (wanted !== null)
    throw invalid(
      `the master key file ${path} of KRE_MASTER_KEY_FILE is not there: put it there (32 random bytes in base64, mode 600), or unset the variable`,
    )
  if (await hasSealedValues())
    throw invalid(
      `the master key ${path} is gone, and stored configuration values need it: put back a copy of the file; without one, "krectl keys reset" makes a new key and unsets the values that can't be read`,
    )
  const keys: MasterKeys = [makeMasterKey()]
  await writeMasterKeyFile(path, keys)
  return keys
}

function invalid(message: string): KreError {
  return new KreError('failed-precondition', message, { reason: 'MASTER_KEY_MISSING' })
}
