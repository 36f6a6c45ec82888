import { describe, expect, test } from '@jest/globals'
import { authorizeResolvers } from '../graphql/authorize-resolvers.ts'
import type { Principal } from '../principal.ts'
import { accessTo, authorizeOperation } from './operations.ts'

const ada: Principal = {
  email: 'ada@kre.io',
  accessLevel: null,
  grants: new Map([
    ['demo', 'VIEWER'],
    ['shop', 'MANAGER'],
  ]),
  scope: 'full',
  runtimeIds: null,
  credential: { kind: 'login', loginHash: 'h' },
  isToken: false,
}
const start = (principal: Principal, runtimeId: string) => () =>
  authorizeOperation(principal, 'Mutation.startVersion', { input: { runtimeId } })

describe('the table of operations', () => {
  test.each(['Query.nothing', 'Mutation.__proto__', 'constructor', ''])(
    'has no row for %j, so it is for nobody',
    (operation) => {
      expect(() => accessTo(operation)).toThrow('has no row in access/operations.ts')
      expect(() => authorizeOperation(ada, operation, {})).toThrow()
    },
  )

  test('lets no field begin that has no row', () => {
    expect(() => authorizeResolvers('Query', { secrets: () => 'all of them' })).toThrow(
      '"Query.secrets" has no row',
    )
  })

  test('finds the runtime in the arguments, and refuses in KRE’s words', () => {
    expect(start(ada, 'shop')).not.toThrow()
    expect(start(ada, 'demo')).toThrow('you are not allowed to edit versions')
    expect(start(ada, 'other')).toThrow('there is no runtime "other"')
  })

  test('lets a token do less than its owner, never more', () => {
    const read = { ...ada, scope: 'read', isToken: true } as const
    expect(start(read, 'shop')).toThrow('you are not allowed to edit versions')
    const demo = { ...ada, runtimeIds: new Set(['demo', 'other']), isToken: true }
    expect(start(demo, 'shop')).toThrow('there is no runtime "shop"')
    expect(start(demo, 'other')).toThrow('there is no runtime "other"')
    const admin = { ...demo, accessLevel: 'ADMIN' } as const
    expect(start(admin, 'other')).not.toThrow()
    expect(() => authorizeOperation(admin, 'Query.users', {})).toThrow(
      'you are not allowed to view users',
    )
  })
})
