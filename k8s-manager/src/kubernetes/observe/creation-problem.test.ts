import { expect, test } from '@jest/globals'
import { creationProblem } from './creation-problem.ts'

const failing = (message: string) =>
  creationProblem({
    status: {
      conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }],
    },
  })

test('nothing is wrong with a Deployment that says nothing', () => {
  expect(creationProblem({})).toBeNull()
  expect(
    creationProblem({ status: { conditions: [{ type: 'Available', status: 'False' }] } }),
  ).toBeNull()
})

test('a quota that is full is told with its numbers', () => {
  const message =
    'pods "x" is forbidden: exceeded quota: team, requested: limits.memory=1Gi, used: limits.memory=7Gi, limited: limits.memory=7Gi'
  expect(failing(message)).toBe(
    'QuotaExceeded: quota "team" has no room: limits.memory=1Gi is asked for, limits.memory=7Gi of limits.memory=7Gi is in use; raise the quota, stop other versions, or ask for less',
  )
})

test('a quota that wants a limit to be said is told with ways to say it', () => {
  expect(
    failing('pods "x" is forbidden: failed quota: team: must specify limits.cpu for: node,prepare'),
  ).toBe(
    'QuotaExceeded: quota "team" lets in only pods that say limits.cpu for: node,prepare: set it in the manifest, for all versions (resources.cpuLimitMillis), or by a LimitRange of the namespace',
  )
})

test.each([
  [
    'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot',
    /Pod Security refuses/,
  ],
  ['pods "x" is forbidden: error looking up service account', /the cluster refuses/],
  ['something new', /^something new$/],
  ['', /does not say why/],
])('%j is passed on', (message, expected) => {
  expect(failing(message)).toMatch(expected)
})
