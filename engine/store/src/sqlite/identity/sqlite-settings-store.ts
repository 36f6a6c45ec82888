import { DEFAULT_SETTINGS, type Settings, type SettingsStore } from '../../ports/identity-store.ts'
import type { Database, Row } from '../database.ts'

export function createSqliteSettingsStore(db: Database): SettingsStore {
  const read = (): Settings => {
    const row = db.get<Row & { value: string }>('SELECT value FROM settings')
    return row === null
      ? DEFAULT_SETTINGS
      : { ...DEFAULT_SETTINGS, ...(JSON.parse(row.value) as Partial<Settings>) }
  }
  return {
    async get() {
      return read()
    },
    async set(change) {
      return db.transaction(() => {
        const before = read()
        const after = { ...before, ...change }
        db.run(
          'INSERT INTO settings (id, value) VALUES (1, ?1) ON CONFLICT DO UPDATE SET value = ?1',
          JSON.stringify(after),
        )
        return { before, after }
      })
    },
  }
}
