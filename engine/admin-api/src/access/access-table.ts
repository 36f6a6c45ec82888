import { isAllowed, type Principal } from '../principal.ts'
import { OPERATIONS, type Access } from './operations.ts'
import { ACTIONS } from './policy.ts'

const HEAD = `# Who may do what

Made from \`engine/admin-api/src/access\` by \`npm run access:table\`: the tables that the engine itself looks rights up in. What has no row there is not served. A test asks every operation as every kind of caller (\`access.test.ts\`).

**yes**: it may. **its own**: of the runtimes it has a level on; in a list the others are left out, and one that is named answers as if it were not there. **-**: refused.

Levels: VIEWER, MANAGER and ADMIN on everything, or VIEWER and MANAGER on single runtimes (grants). A token for some runtimes is good for those alone. The local token is the file \`token\` of the data folder.`

/** The runtime that grants are about here. */
const RUNTIME = 'one'

/** A caller of each kind; null = nobody has signed in. */
const CALLERS: readonly (readonly [name: string, principal: Principal | null])[] = [
  ['anybody', null],
  ['VIEWER', person({ accessLevel: 'VIEWER' })],
  ['MANAGER', person({ accessLevel: 'MANAGER' })],
  ['ADMIN', person({ accessLevel: 'ADMIN' })],
  ['VIEWER grant', person({ grants: new Map([[RUNTIME, 'VIEWER']]) })],
  ['MANAGER grant', person({ grants: new Map([[RUNTIME, 'MANAGER']]) })],
  ["ADMIN's read token", token('read')],
  ["ADMIN's token", token('full')],
  ['local token', person({ accessLevel: 'ADMIN', credential: { kind: 'owner' } })],
]

/** The role table as a page for people. */
export function writeAccessTable(): string {
  const head = ['operation', 'what it is', ...CALLERS.map(([name]) => name)]
  const rows = Object.entries(OPERATIONS).map(([operation, access]) => [
    `\`${operation}\``,
    typeof access === 'string' ? access : access.action,
    ...CALLERS.map(([, principal]) => cell(access, principal)),
  ])
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return `${[HEAD, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}

function cell(access: Access, principal: Principal | null): string {
  if (access === 'open') return 'yes'
  if (principal === null) return '-'
  if (access === 'signed-in') return 'yes'
  const { action } = access
  const isOnRuntime = ACTIONS[action].on === 'runtime'
  if (!isAllowed(principal, action, isOnRuntime ? RUNTIME : null)) return '-'
  return isOnRuntime && principal.accessLevel === null ? 'its own' : 'yes'
}

function person(rights: Partial<Principal>): Principal {
  return {
    email: 'somebody',
    accessLevel: null,
    grants: new Map(),
    scope: 'full',
    runtimeIds: null,
    credential: { kind: 'login', loginHash: '' },
    isToken: false,
    ...rights,
  }
}

function token(scope: Principal['scope']): Principal {
  const credential = { kind: 'api-token', tokenId: '' } as const
  return person({ accessLevel: 'ADMIN', scope, credential, isToken: true })
}
