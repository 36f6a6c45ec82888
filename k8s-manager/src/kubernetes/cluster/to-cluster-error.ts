/** From an answer of the API server to an error that says what to do. Pure. */
import { type ErrorCode, KreError } from '@kre/contracts'
import { type Kind, ruleOf } from './kinds.ts'

export type Attempt = {
  /** As a Role names it. */
  readonly verb: 'get' | 'list' | 'watch' | 'patch' | 'create' | 'delete'
  readonly kind: Kind
  /** Absent = all of the kind. */
  readonly name?: string
  readonly namespace: string
}

/** Characters of the server's own words. */
const MESSAGE_CHARS_MAX = 1_000

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-argument',
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  405: 'unimplemented',
  409: 'aborted',
  410: 'aborted',
  413: 'resource-exhausted',
  415: 'unimplemented',
  422: 'invalid-argument',
  429: 'unavailable',
}

/** @param body a `Status` of Kubernetes, or any text: proxies answer too. */
export function toClusterError(status: number, body: string, attempt: Attempt): KreError {
  const message = messageIn(body) || `status ${status}`
  const what = `${attempt.verb} ${attempt.kind}${attempt.name === undefined ? 's' : ` "${attempt.name}"`} in namespace "${attempt.namespace}"`
  const details = { status }
  if (status === 403) return forbidden(message, what, attempt)
  if (status === 401)
    return new KreError(
      'unauthenticated',
      `${what}: the cluster does not know who we are (${message}); renew the login of the kubeconfig, or the service account`,
      details,
    )
  if (status === 404 && /namespaces? "[^"]*" not found/.test(message))
    return new KreError(
      'failed-precondition',
      `namespace "${attempt.namespace}" does not exist: make it with "kubectl create namespace ${attempt.namespace}"`,
      details,
    )
  if (status === 404 && attempt.verb === 'patch' && attempt.kind.endsWith('Route'))
    return new KreError(
      'failed-precondition',
      `${what}: the cluster knows no ${attempt.kind}: install the Gateway API in it, or choose another way to publish (publish.mode)`,
      details,
    )
  return new KreError(
    CODES[status] ?? (status >= 500 ? 'unavailable' : 'internal'),
    `${what}: ${message}`,
    details,
  )
}

/** A right that is missing, a quota that is full, or a policy of the cluster: all three come as 403. */
function forbidden(message: string, what: string, { verb, kind, namespace }: Attempt): KreError {
  const details = { status: 403 }
  if (/exceeded quota/.test(message))
    return new KreError('resource-exhausted', `QuotaExceeded: ${what}: ${message}`, details)
  if (!/cannot (?:get|list|watch|patch|create|delete|update) resource/.test(message))
    return new KreError('permission-denied', `${what}: the cluster refuses it: ${message}`, details)
  const { apiGroup, resource } = ruleOf(kind)
  // An apply of what is not there yet asks for the right to create it.
  const missing = /cannot create resource/.test(message) ? 'create' : verb
  const rule = `{apiGroups: ["${apiGroup}"], resources: ["${resource}"], verbs: ["${missing}"]}`
  return new KreError(
    'permission-denied',
    `${what}: the engine may not: add the rule ${rule} to its Role in namespace "${namespace}", or make both, with the RoleBinding, where the namespace is not there (${message})`,
    details,
  )
}

function messageIn(body: string): string {
  let text = body
  try {
    const status = JSON.parse(body) as { message?: unknown } | null
    if (typeof status?.message === 'string') text = status.message
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return text
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, MESSAGE_CHARS_MAX)
}
