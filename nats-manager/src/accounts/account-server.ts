/** The server's own list of accounts, as the system account reaches it. */
import type { NatsConnection } from '@nats-io/transport-node'
import { KreError, SECOND_MS } from '@kre/contracts'
import { z } from 'zod'
import { deletionJwt } from '../keys/jwt.ts'
import type { KeyPair } from '../keys/nkey.ts'

const ANSWER_TIMEOUT_MS = 10 * SECOND_MS

const Refused = z.object({ error: z.object({ description: z.string() }) })
const Listed = z.object({ data: z.array(z.string()) })

export type AccountServer = {
  /** Makes an account, or changes it; connections of its users go on. @throws KreError `unavailable`. */
  put(account: string, jwt: string): Promise<void>
  /** Forgets accounts, as far as it has them, and ends the connections of their users. @throws KreError `unavailable`. */
  remove(accounts: readonly string[]): Promise<void>
  /** Public keys. @throws KreError `unavailable`. */
  list(): Promise<string[]>
}

/** @param system a connection of the system account. */
export function openAccountServer(system: NatsConnection, operator: KeyPair): AccountServer {
  const ask = async (what: string, subject: string, data: string): Promise<unknown> => {
    try {
      const answer = (
        await system.request(subject, data, { timeout: ANSWER_TIMEOUT_MS })
      ).json<unknown>()
      const refused = Refused.safeParse(answer)
      if (refused.success) throw new Error(refused.data.error.description)
      return answer
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new KreError(
        'unavailable',
        `nats-server could not ${what}: ${why}`,
        {},
        { cause: error },
      )
    }
  }
  const list = async () =>
    Listed.parse(await ask('list its accounts', '$SYS.REQ.CLAIMS.LIST', '')).data

  return {
    async put(account, jwt) {
      await ask(`take the account ${account}`, '$SYS.REQ.CLAIMS.UPDATE', jwt)
    },
    async remove(accounts) {
      if (accounts.length === 0) return
      const there = new Set(await list())
      const left = accounts.filter((account) => there.has(account))
      if (left.length === 0) return
      const what = `remove ${left.length} accounts`
      await ask(what, '$SYS.REQ.CLAIMS.DELETE', deletionJwt(operator, left))
    },
    list,
  }
}
