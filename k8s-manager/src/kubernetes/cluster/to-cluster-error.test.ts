import { describe, expect, test } from '@jest/globals'
import { toClusterError } from './to-cluster-error.ts'

const attempt = { verb: 'patch', kind: 'Deployment', name: 'etl', namespace: 'runners' } as const
const status = (message: string) => JSON.stringify({ kind: 'Status', message })

describe('an answer of the API server', () => {
  test('that a right is missing names the rule to add', () => {
    const message =
      'deployments.apps "etl" is forbidden: User "system:serviceaccount:kre:kre" cannot patch resource "deployments" in API group "apps" in the namespace "runners"'
    expect(toClusterError(403, status(message), attempt)).toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining(
        'add the rule {apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]} to its Role in namespace "runners"',
      ),
    })
  })
  test('that something may not be created asks for that right, and not for the one of the request', () => {
    const message = 'deployments.apps is forbidden: User "u" cannot create resource "deployments"'
    expect(toClusterError(403, status(message), attempt).message).toContain('verbs: ["create"]')
  })
  test('that a policy refuses it is no missing right', () => {
    const { message } = toClusterError(
      403,
      status('admission webhook "x" denied the request'),
      attempt,
    )
    expect(message).toContain('the cluster refuses it: admission webhook "x"')
    expect(message).not.toContain('Role')
  })
  test('that a quota is full is no missing right', () => {
    const full = toClusterError(
      403,
      status('is forbidden: exceeded quota: q, requested: x'),
      attempt,
    )
    expect(full).toMatchObject({ code: 'resource-exhausted' })
    expect(full.message).toMatch(/^QuotaExceeded: /)
  })
  test('that the namespace is missing says how to make it', () => {
    expect(toClusterError(404, status('namespaces "runners" not found'), attempt)).toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining('kubectl create namespace runners'),
    })
  })
  test.each([
    [401, 'unauthenticated'],
    [404, 'not-found'],
    [409, 'aborted'],
    [410, 'aborted'],
    [422, 'invalid-argument'],
    [429, 'unavailable'],
    [500, 'unavailable'],
    [503, 'unavailable'],
    [302, 'internal'],
  ])('%i is %s', (code, expected) => {
    expect(toClusterError(code, status('m'), attempt).code).toBe(expected)
  })
  test.each(['', '404 page not found', '{"kind":"Status","mess', 'null', '[]', '<html>\n</html>'])(
    'is read whatever its body is: %j',
    (body) => {
      expect(toClusterError(500, body, attempt).message).toMatch(
        /^patch Deployment "etl" in namespace "runners": ./,
      )
    },
  )
})
