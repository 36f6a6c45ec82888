import type { Route } from '../http/exchange.ts'
import { sendJson } from '../http/respond.ts'

/** Says that the process answers, and nothing about anything. */
export const healthRoute: Route = {
  method: 'GET',
  path: '/healthz',
  access: 'open',
  async handle({ res }) {
    sendJson(res, 200, { status: 'ok' })
  },
}
