import { KreError } from '@kre/contracts'
import type { KeyKeeper } from '@kre/store'
import type { AdminApiDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { sendJson } from '../http/respond.ts'
import { authorize } from '../principal.ts'

/**
 * `GET /api/v1/keys`: which master keys encrypt configuration values, by id. `POST /api/v1/keys/rotate`: a new one, for
 * the bearer of the local token alone.
 */
export function createKeyRoutes({ keys, logger }: Pick<AdminApiDeps, 'keys' | 'logger'>): Route[] {
  const keeper = (): KeyKeeper => {
    if (keys !== undefined) return keys
    throw new KreError('unimplemented', 'this engine does not encrypt configuration values')
  }
  return [
    {
      method: 'GET',
      path: '/api/v1/keys',
      access: 'signed-in',
      async handle({ res, principal }) {
        authorize(principal, 'view engine')
        sendJson(res, 200, keeper().status())
      },
    },
    {
      method: 'POST',
      path: '/api/v1/keys/rotate',
      access: 'signed-in',
      async handle({ res, principal }) {
        authorize(principal, 'edit engine')
        const rotated = await keeper().rotate()
        logger.info({ by: principal.email, ...rotated }, 'the master key was rotated')
        sendJson(res, 200, rotated)
      },
    },
  ]
}
