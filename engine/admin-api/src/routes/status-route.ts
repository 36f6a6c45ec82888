import { KreError } from '@kre/contracts'
import type { AdminApiDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { sendJson } from '../http/respond.ts'
import { authorize } from '../principal.ts'

/** `GET /api/v1/status`: the engine's processes and addresses, in the words of whoever runs it. */
export function createStatusRoute({ describe }: Pick<AdminApiDeps, 'describe'>): Route {
  return {
    method: 'GET',
    path: '/api/v1/status',
    access: 'signed-in',
    async handle({ res, principal }) {
      authorize(principal, 'view engine')
      if (describe === undefined)
        throw new KreError('unimplemented', 'this engine does not describe itself')
      sendJson(res, 200, await describe())
    },
  }
}
