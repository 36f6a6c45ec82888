import { KreError } from '@kre/contracts'
import { authorize, type Principal } from '../principal.ts'
import { ACTIONS, type Action, type OtherAction, type RuntimeAction } from './policy.ts'

/**
 * Who may use an operation: everybody, whoever is signed in, or whoever may do the action.
 * `runtimeIdAt` says where the arguments name the runtime; null = they name none: an action on runtimes is then a list,
 * which its use case cuts down to what the caller may see.
 */
export type Access =
  | 'open'
  | 'signed-in'
  | { readonly action: Action; readonly runtimeIdAt: string | null }

/** Every way into the engine. What has no row here is not served: `createGraphql` and `createHandler` refuse to begin. */
export const OPERATIONS: Readonly<Record<string, Access>> = {
  'GET /healthz': 'open',
  'GET /signin/:token': 'open',
  'POST /signin/:token': 'open',
  'POST /api/v1/auth/signin': 'open',
  'POST /api/v1/auth/signin/verify': 'open',
  'POST /api/v1/auth/token/signin': 'open',
  'GET /api/v1/auth/oidc': 'open',
  'GET /api/v1/auth/oidc/callback': 'open',
  'POST /api/v1/auth/login-link': to('make sign-in links'),
  'POST /api/v1/auth/logout': 'signed-in',
  'GET /': listed('view runtimes'),
  // The UI knows nothing before somebody signs in.
  'GET /ui': 'open',
  'GET /ui/*': 'open',
  // Each field of a document is an operation of its own.
  'GET /graphql': 'signed-in',
  'POST /graphql': 'signed-in',
  'PUT /api/v1/runtimes/:id/versions': on('edit versions', 'id'),
  'OPTIONS /api/v1/runtimes/:id/uploads': on('edit versions', 'id'),
  'POST /api/v1/runtimes/:id/uploads': on('edit versions', 'id'),
  'GET /api/v1/runtimes/:id/uploads': on('edit versions', 'id'),
  'HEAD /api/v1/runtimes/:id/uploads/:upload': on('edit versions', 'id'),
  'PATCH /api/v1/runtimes/:id/uploads/:upload': on('edit versions', 'id'),
  'DELETE /api/v1/runtimes/:id/uploads/:upload': on('edit versions', 'id'),
  'GET /api/v1/runtimes/:id/versions/:name/bundle': on('view versions', 'id'),
  'GET /api/v1/runtimes/:id/versions/:name/descriptor-set': on('view versions', 'id'),
  'GET /api/v1/runtimes/:id/versions/:name/document': on('view documents', 'id'),
  'POST /api/v1/runtimes/:id/versions/:name/call/:rpc': on('call workflows', 'id'),
  'GET /api/v1/runtimes/:id/logs': on('view logs', 'id'),
  'GET /api/v1/status': to('view engine'),
  'GET /api/v1/keys': to('view engine'),
  'POST /api/v1/keys/rotate': to('edit engine'),
  'GET /metrics': to('view metrics'),
  'GET /api/v1/audit/export': listed('view audit'),

  'Query.me': to('view account'),
  'Query.users': to('view users'),
  'Query.settings': to('view settings'),
  'Query.runtime': on('view runtimes', 'id'),
  'Query.runtimes': listed('view runtimes'),
  'Query.version': on('view versions', 'runtimeId'),
  'Query.versions': on('view versions', 'runtimeId'),
  'Query.configurationDifferences': on('edit versions', 'runtimeId'),
  'Query.versionComparison': on('view versions', 'runtimeId'),
  'Query.logs': on('view logs', 'runtimeId'),
  'Query.logLimits': on('view logs', 'runtimeId'),
  'Query.metrics': on('view predictions', 'runtimeId'),
  'Query.measurements': on('view measurements', 'runtimeId'),
  'Query.measurementNames': on('view measurements', 'runtimeId'),
  'Query.traffic': on('view traffic', 'runtimeId'),
  'Query.recentRequests': on('view traffic', 'runtimeId'),
  // Looked for among the runtimes of the caller when none is named.
  'Query.request': on('view traffic', 'runtimeId'),
  // Contents are left out for those who may not view messages.
  'Query.edgeSamples': on('view traffic', 'runtimeId'),
  'Query.documents': on('view documents', 'runtimeId'),
  'Query.userActivityList': listed('view audit'),
  'Query.auditIntegrity': to('view whole audit'),

  'Mutation.createRuntime': to('edit runtimes'),
  'Mutation.updateRuntime': to('edit runtimes'),
  'Mutation.deleteRuntime': to('edit runtimes'),
  'Mutation.createVersion': on('edit versions', 'input.runtimeId'),
  'Mutation.restartVersion': on('edit versions', 'input.runtimeId'),
  'Mutation.startVersion': on('edit versions', 'input.runtimeId'),
  'Mutation.stopVersion': on('edit versions', 'input.runtimeId'),
  'Mutation.publishVersion': on('edit versions', 'input.runtimeId'),
  'Mutation.unpublishVersion': on('edit versions', 'input.runtimeId'),
  'Mutation.deleteVersion': on('edit versions', 'input.runtimeId'),
  'Mutation.updateVersionUserConfiguration': on('edit versions', 'input.runtimeId'),
  'Mutation.updateLogLimits': on('edit log limits', 'input.runtimeId'),
  'Mutation.sampleMessages': on('view messages', 'input.runtimeId'),
  'Mutation.createUser': to('edit users'),
  'Mutation.removeUsers': to('edit users'),
  'Mutation.updateAccessLevel': to('edit users'),
  'Mutation.updateGrants': to('edit users'),
  'Mutation.revokeUserSessions': to('edit users'),
  'Mutation.endLogin': to('edit logins'),
  'Mutation.updateSettings': to('edit settings'),
  'Mutation.generateApiToken': to('edit API tokens'),
  'Mutation.deleteApiToken': to('edit API tokens'),

  'Subscription.watchVersion': on('view versions', 'runtimeId'),
  'Subscription.watchNodeStatus': on('view versions', 'runtimeId'),
  'Subscription.watchNodeLogs': on('view logs', 'runtimeId'),
  'Subscription.watchTraffic': on('view traffic', 'runtimeId'),
}

/** @throws KreError `internal` for an operation without a row. */
export function accessTo(operation: string): Access {
  const access = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined
  if (access !== undefined) return access
  throw new KreError(
    'internal',
    `"${operation}" has no row in access/operations.ts, so nobody may use it: add one that says who may`,
  )
}

/**
 * Lets the principal use the operation with these arguments, or refuses.
 *
 * @param args what the operation is called with: arguments of a field, or the named parts of a path.
 * @throws KreError as `authorize`.
 */
export function authorizeOperation(principal: Principal, operation: string, args: unknown): void {
  const access = accessTo(operation)
  if (typeof access === 'string') return
  const { action, runtimeIdAt } = access
  if (!isOnRuntime(action)) {
    authorize(principal, action)
    return
  }
  const runtimeId = runtimeIdAt === null ? undefined : valueAt(args, runtimeIdAt)
  if (typeof runtimeId === 'string') authorize(principal, action, runtimeId)
}

function on(action: RuntimeAction, runtimeIdAt: string): Access {
  return { action, runtimeIdAt }
}

function listed(action: RuntimeAction): Access {
  return { action, runtimeIdAt: null }
}

function to(action: OtherAction): Access {
  return { action, runtimeIdAt: null }
}

function isOnRuntime(action: Action): action is RuntimeAction {
  return ACTIONS[action].on === 'runtime'
}

function valueAt(args: unknown, path: string): unknown {
  let value = args
  for (const name of path.split('.'))
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return value
}
