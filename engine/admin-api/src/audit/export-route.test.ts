import { Writable } from 'node:stream'
import { expect, test } from '@jest/globals'
import type { AuditLink } from '@kre/store'
import type { Principal } from '../principal.ts'
import { createAuditExportRoute } from './export-route.ts'

const ADMIN: Principal = {
  email: 'ada@kre.io',
  accessLevel: 'ADMIN',
  grants: new Map(),
  scope: 'full',
  runtimeIds: null,
  credential: { kind: 'login', loginHash: 'x' },
  isToken: false,
}

test('an export is cut when its reader is lowered meanwhile', async () => {
  const link = (seq: number) => ({ seq, body: '{}', at: new Date(0) }) as unknown as AuditLink
  const later: Principal[] = [ADMIN, { ...ADMIN, accessLevel: 'VIEWER' }]
  const deps = {
    audit: {
      anchor: async () => null,
      head: async () => null,
      read: async (from: number) => [link(Math.max(from, 0))],
    },
    runtimes: {},
    currentPrincipal: async () => later.shift() ?? null,
  } as unknown as Parameters<typeof createAuditExportRoute>[0]
  const written: string[] = []
  const res = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString())
        done()
      },
    }),
    { writeHead: () => undefined },
  )
  const exchange = {
    res,
    url: new URL('http://localhost/api/v1/audit/export'),
    principal: ADMIN,
    signal: new AbortController().signal,
  } as unknown as Parameters<ReturnType<typeof createAuditExportRoute>['handle']>[0]
  const exporting = createAuditExportRoute(deps).handle(exchange as never)
  await expect(exporting).rejects.toMatchObject({ code: 'permission-denied' })
  expect(written.length).toBeLessThan(3)
})
