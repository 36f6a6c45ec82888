import { KreError } from '@kre/contracts'
import type { Db } from 'mongodb'
import { inTurn, turnOf } from '../in-turn.ts'
import type { Keyed } from '../mongo-databases.ts'
import { isDuplicate } from '../to-kre-error.ts'

type AdminsDocument = Keyed & { emails: string[]; revision: number }

const SINGLETON = 'admins'
/** Of so many changes at once each gets its turn. */
const TRIES_MAX = 100

/**
 * Who is ADMIN, in one document: that the last one stays is a rule about all of them, and one document is what a
 * server without transactions can change as a whole.
 */
export type AdminList = {
  read(): Promise<ReadonlySet<string>>
  add(email: string): Promise<void>
  /** @throws KreError `failed-precondition`, reason LAST_ADMIN, when nobody else would be there; nothing changed then. */
  remove(email: string): Promise<void>
}

export function createAdminList(engine: Db): AdminList {
  const lists = engine.collection<AdminsDocument>('settings')

  /** `decide` returns null when nothing is to change. Reads again when somebody else was faster. */
  const change = async (decide: (emails: readonly string[]) => string[] | null): Promise<void> => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = await lists.findOne({ _id: SINGLETON })
      const emails = decide(found?.emails ?? [])
      if (emails === null) return
      const revision = (found?.revision ?? 0) + 1
      if (found === null) {
        if (await isInserted(() => lists.insertOne({ _id: SINGLETON, emails, revision }))) return
        continue
      }
      const { matchedCount } = await lists.updateOne(
        { _id: SINGLETON, revision: found.revision },
        { $set: { emails, revision } },
      )
      if (matchedCount === 1) return
    }
    throw new KreError(
      'unavailable',
      'too many change the list of administrators at once: try again',
    )
  }

  const changeInTurn: typeof change = (decide) =>
    inTurn(turnOf(lists, SINGLETON), () => change(decide))

  return {
    async read() {
      return new Set((await lists.findOne({ _id: SINGLETON }))?.emails)
    },
    add: (email) => changeInTurn((emails) => (emails.includes(email) ? null : [...emails, email])),
    remove: (email) =>
      changeInTurn((emails) => {
        if (!emails.includes(email)) return null
        if (emails.length === 1) throw lastAdmin(email)
        return emails.filter((each) => each !== email)
      }),
  }
}

async function isInserted(insert: () => Promise<unknown>): Promise<boolean> {
  try {
    await insert()
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}

function lastAdmin(email: string): KreError {
  return new KreError(
    'failed-precondition',
    `"${email}" is the last administrator: make somebody else ADMIN first`,
    { reason: 'LAST_ADMIN', email },
  )
}
