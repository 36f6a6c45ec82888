import type { Db } from 'mongodb'
import { DEFAULT_SETTINGS, type Settings, type SettingsStore } from '../../ports/identity-store.ts'
import { inTurn, turnOf } from '../in-turn.ts'
import type { Keyed } from '../mongo-databases.ts'

/** One document, with the fields that were ever set. */
type SettingsDocument = Keyed & Partial<Settings>
const SINGLETON = 'settings'

export function createMongoSettingsStore(engine: Db): SettingsStore {
  const settings = engine.collection<SettingsDocument>('settings')
  return {
    async get() {
      return toSettings(await settings.findOne({ _id: SINGLETON }))
    },
    async set(change) {
      if (Object.keys(change).length === 0) {
        const now = toSettings(await settings.findOne({ _id: SINGLETON }))
        return { before: now, after: now }
      }
      const found = await inTurn(turnOf(settings, SINGLETON), () =>
        settings.findOneAndUpdate(
          { _id: SINGLETON },
          { $set: change },
          { upsert: true, returnDocument: 'before' },
        ),
      )
      const before = toSettings(found)
      return { before, after: { ...before, ...change } }
    },
  }
}

function toSettings(found: Partial<Settings> | null): Settings {
  return {
    authAllowedDomains: found?.authAllowedDomains ?? DEFAULT_SETTINGS.authAllowedDomains,
    sessionLifetimeInDays: found?.sessionLifetimeInDays ?? DEFAULT_SETTINGS.sessionLifetimeInDays,
  }
}
