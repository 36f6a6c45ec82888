import { KreError } from '@kre/contracts'
import {
  makeMasterKey,
  MASTER_KEYS_MAX,
  type MasterKeys,
  type OpenedKeyRing,
} from '@kre/service-kit/secrets'
import type { Store } from '../ports/store.ts'
import { resealConfig, type ResealReport } from './reseal-config.ts'
import { createSealedConfigStore } from './sealed-config-store.ts'

export type KeyStatus = {
  /** Id of the master key in force. */
  current: string
  /** Ids of older keys that are still kept. */
  older: string[]
  /** Path, or name of the variable, that the keys come from. */
  source: string
}

/** What the engine can do with its master keys while it runs. */
export type KeyKeeper = {
  status(): KeyStatus
  /**
   * Makes a new master key, wraps every data key with it, and forgets the old ones. Cut off anywhere, it is finished by
   * the next start.
   *
   * @returns how many values were wrapped anew.
   * @throws KreError `failed-precondition` when the keys come from where the engine can't write them.
   */
  rotate(): Promise<KeyStatus & { rewrapped: number }>
}

/**
 * Puts encryption around a store's configuration and encrypts what is still plain text.
 *
 * @throws KreError `failed-precondition` when stored values need a master key that is not here: says which.
 */
export async function sealStore(
  raw: Store,
  opened: OpenedKeyRing,
): Promise<{ store: Store; keys: KeyKeeper; report: ResealReport }> {
  const { ring, source } = opened
  const report = await resealConfig(raw, ring)
  if (report.unknownKeys.size > 0) throw wrongKey(source, report)
  await dropOldKeys(opened, report)
  const status = (): KeyStatus => {
    const [current, ...older] = ring.keys().map(({ id }) => id)
    return { current: current ?? '', older, source }
  }
  let turn: Promise<unknown> = Promise.resolve()
  const rotate = async () => {
    const { rewrapped } = await rotateKeys(raw, opened)
    return { ...status(), rewrapped }
  }
  return {
    store: { ...raw, config: createSealedConfigStore(raw.config, ring) },
    keys: {
      status,
      rotate() {
        // One after the other, also when the one before failed.
        const own = turn.then(rotate, rotate)
        turn = own
        return own
      },
    },
    report,
  }
}

async function rotateKeys(raw: Store, opened: OpenedKeyRing): Promise<ResealReport> {
  const { ring, source, save } = opened
  if (save === null)
    throw new KreError(
      'failed-precondition',
      `the master key comes from ${source}, which the engine can't write: put a new key before the old one there (one a line), restart the engine, then remove the old one`,
      { reason: 'MASTER_KEY_EXTERNAL' },
    )
  const kept = ring.keys().slice(0, MASTER_KEYS_MAX - 1)
  const next: MasterKeys = [makeMasterKey(), ...kept]
  // On the disk before anything needs it.
  await save(next)
  ring.replace(next)
  const report = await resealConfig(raw, ring)
  await dropOldKeys(opened, report)
  return report
}

/** Older keys go when no value needs them; a value that can't be read may need one, so then all are kept. */
async function dropOldKeys(opened: OpenedKeyRing, report: ResealReport): Promise<void> {
  const { ring, save } = opened
  if (save === null || ring.keys().length === 1) return
  if (report.corrupt.length + report.unknownKeys.size > 0) return
  const only: MasterKeys = [ring.current]
  await save(only)
  ring.replace(only)
}

function wrongKey(source: string, { unknownKeys }: ResealReport): KreError {
  const needed = [...unknownKeys].map(
    ([id, places]) => `${id} (${places.length} values, ${places[0]} first)`,
  )
  return new KreError(
    'failed-precondition',
    `the master key in ${source} is not the one that stored configuration values need: they need ${needed.join(', ')}. Put back the right key, also as a second line after the present one; without it, "krectl keys reset" unsets the values that can't be read`,
    { reason: 'MASTER_KEY_WRONG', keyIds: [...unknownKeys.keys()] },
  )
}
