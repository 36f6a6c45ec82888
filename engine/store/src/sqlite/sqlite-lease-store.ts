import type { Lease, LeaseStore } from '../ports/lease-store.ts'
import type { Database } from './database.ts'

export function createSqliteLeaseStore(db: Database): LeaseStore {
  const read = (name: string): Lease | null =>
    db.get<Lease>('SELECT name, holder, place, token, beat FROM leases WHERE name = ?', name)
  return {
    async read(name) {
      return read(name)
    },
    async list() {
      return db.all<Lease>('SELECT name, holder, place, token, beat FROM leases')
    },
    async take({ name, holder, place }, seen) {
      return db.transaction(() => {
        const now = read(name)
        if (now?.token !== seen?.token || now?.beat !== seen?.beat) return null
        const taken: Lease = {
          name,
          holder,
          place,
          token: (now?.token ?? 0) + 1,
          beat: (now?.beat ?? 0) + 1,
        }
        db.run(
          `INSERT INTO leases (name, holder, place, token, beat) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET holder = excluded.holder, place = excluded.place,
             token = excluded.token, beat = excluded.beat`,
          name,
          holder,
          place,
          taken.token,
          taken.beat,
        )
        return taken
      })
    },
    async renew({ name, holder, token }) {
      return (
        db.get<{ beat: number }>(
          'UPDATE leases SET beat = beat + 1 WHERE name = ? AND holder = ? AND token = ? RETURNING beat',
          name,
          holder,
          token,
        )?.beat ?? null
      )
    },
    async release({ name, holder, token }, place) {
      db.run(
        `UPDATE leases SET holder = NULL, place = ?, beat = beat + 1
         WHERE name = ? AND holder = ? AND token = ?`,
        place,
        name,
        holder,
        token,
      )
    },
    async remove({ name, holder, token }) {
      db.run('DELETE FROM leases WHERE name = ? AND holder = ? AND token = ?', name, holder, token)
    },
  }
}
