import { expect, test } from '@jest/globals'
import type { Principal } from '../principal.ts'
import { whileAllowed } from './while-allowed.ts'

const VIEWER: Principal = {
  email: 'ada@kre.io',
  accessLevel: null,
  grants: new Map([['demo', 'VIEWER']]),
  scope: 'full',
  runtimeIds: null,
  credential: { kind: 'login', loginHash: 'x' },
  isToken: false,
}
const MANAGER: Principal = { ...VIEWER, grants: new Map([['demo', 'MANAGER']]) }

/** @param later what the principal is each time that is asked. */
async function pass(later: (Principal | null)[], everyMs = 0) {
  const passed: number[] = []
  async function* items() {
    yield* [1, 2, 3]
  }
  const deps = { currentPrincipal: async () => later.shift() ?? null }
  const deed = { principal: MANAGER, action: 'edit versions', runtimeId: 'demo' } as const
  const ended = (async () => {
    for await (const item of whileAllowed(deps, deed, items(), everyMs)) passed.push(item)
  })()
  const code = await ended.then(
    () => null,
    (error: { code: string }) => error.code,
  )
  return { passed, code }
}

test('goes on while the rights are enough, and ends with the reason when they are not', async () => {
  expect(await pass([MANAGER, MANAGER])).toEqual({ passed: [1, 2, 3], code: null })
  expect(await pass([MANAGER, VIEWER])).toEqual({ passed: [1, 2], code: 'permission-denied' })
  const nobody = { ...VIEWER, grants: new Map() }
  expect(await pass([nobody])).toEqual({ passed: [1], code: 'not-found' })
  expect(await pass([null])).toEqual({ passed: [1], code: 'unauthenticated' })
})

test('asks no more often than it is told', async () => {
  expect(await pass([], 3_600_000)).toEqual({ passed: [1, 2, 3], code: null })
})
