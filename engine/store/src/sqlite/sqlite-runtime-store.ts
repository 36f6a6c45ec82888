import { KreError } from '@kre/contracts'
import type { Runtime, RuntimeStore } from '../ports/store.ts'
import type { Database, Row } from './database.ts'

type RuntimeRow = Row & {
  id: string
  name: string
  description: string
  created_at: number
  created_by: string
}

/** @param removeOutputs removes a runtime's outputs, which live in a database of their own. */
export function createSqliteRuntimeStore(
  db: Database,
  removeOutputs: (runtimeId: string) => Promise<void>,
): RuntimeStore {
  return {
    async create(runtime) {
      db.transaction(() => {
        refuseSame(db, 'id', runtime.id)
        refuseSame(db, 'name', runtime.name)
        db.run(
          'INSERT INTO runtimes (id, name, description, created_at, created_by) VALUES (?, ?, ?, ?, ?)',
          runtime.id,
          runtime.name,
          runtime.description,
          runtime.createdAt.getTime(),
          runtime.createdBy,
        )
      })
    },
    async find(id) {
      const row = db.get<RuntimeRow>('SELECT * FROM runtimes WHERE id = ?', id)
      return row === null ? null : toRuntime(row)
    },
    async list() {
      return db.all<RuntimeRow>('SELECT * FROM runtimes ORDER BY created_at, id').map(toRuntime)
    },
    async update(id, texts) {
      return db.transaction(() => {
        const row = db.get<RuntimeRow>('SELECT * FROM runtimes WHERE id = ?', id)
        if (row === null) throw missing(id)
        const { name, description } = { ...row, ...texts }
        if (row.name !== name) refuseSame(db, 'name', name)
        db.run('UPDATE runtimes SET name = ?, description = ? WHERE id = ?', name, description, id)
        return toRuntime({ ...row, name, description })
      })
    },
    async remove(id) {
      // Outputs go first: after a crash between the two the runtime is still there to be removed again.
      await removeOutputs(id)
      db.run('DELETE FROM runtimes WHERE id = ?', id)
      // What the writer stored meanwhile.
      await removeOutputs(id)
    },
  }
}

function refuseSame(db: Database, field: 'id' | 'name', value: string): void {
  if (db.get(`SELECT 1 FROM runtimes WHERE ${field} = ?`, value) === null) return
  throw new KreError('already-exists', `there is already a runtime with the same ${field}`, {
    [field]: value,
  })
}

function missing(id: string): KreError {
  return new KreError('not-found', `there is no runtime "${id}"`, { runtimeId: id })
}

function toRuntime(row: RuntimeRow): Runtime {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    createdAt: new Date(row.created_at),
    createdBy: row.created_by,
  }
}
