import { KreError } from '@kre/contracts'
import type { AdminApiDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { sendText } from '../http/respond.ts'
import { authorize } from '../principal.ts'

/** `GET /metrics`: what the engine and all processes of versions count, for Prometheus. */
export function createMetricsRoute({ metrics }: Pick<AdminApiDeps, 'metrics'>): Route {
  return {
    method: 'GET',
    path: '/metrics',
    access: 'signed-in',
    async handle({ res, principal }) {
      authorize(principal, 'view metrics')
      if (metrics === undefined)
        throw new KreError('unimplemented', 'this engine does not collect metrics')
      sendText(res, 200, 'text/plain; version=0.0.4; charset=utf-8', metrics())
    },
  }
}
