/** The admin API as the command line uses it: GraphQL, uploads, server-sent events, all with the local token. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ERROR_CODES,
  KreError,
  SECOND_MS,
  type ErrorCode,
  type ErrorDetails,
  type KrtIssue,
} from '@kre/contracts'
import { readEngineRecord } from '@kre/service-kit/engine-record'
import { EngineUnreachable } from '../output/exit-code.ts'

/** The engine answers in milliseconds; whoever is silent for so long hangs. */
const ANSWER_TIMEOUT_MS = 30 * SECOND_MS

export type AdminClient = {
  url: string
  /** @throws KreError of the API's first error. */
  graphql<T>(document: string, variables?: Record<string, unknown>): Promise<T>
  /**
   * Calls back for each event of a subscription until `signal` aborts.
   *
   * @param onOpen called when the engine has begun to watch: what changes from then on is reported.
   * @throws KreError that says why, when the engine ends it: it is gone, takes the token no more, or has no reason.
   */
  subscribe<T>(
    document: string,
    variables: Record<string, unknown>,
    onEvent: (data: T) => void,
    signal: AbortSignal,
    onOpen?: () => void,
  ): Promise<void>
  /** A JSON document of a REST route. */
  rest<T>(method: string, path: string, call?: RestCall): Promise<T>
  /** The answer's headers, where they are what counts. */
  head(method: string, path: string, call?: RestCall): Promise<Headers>
  bytes(path: string): Promise<Uint8Array>
  /** The body of a GET as it comes, however long it is. */
  stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>
}

export type RestCall = {
  headers?: Readonly<Record<string, string>>
  /** Its answer is waited for as long as `signal` lets. */
  body?: { stream: ReadableStream<Uint8Array>; bytes: number } | 'none'
  signal?: AbortSignal
}

/** An invalid bundle: all its issues come with it. */
export class BundleRefused extends KreError {
  override name = 'BundleRefused'
  readonly issues: readonly KrtIssue[]
  constructor(message: string, issues: readonly KrtIssue[]) {
    super('invalid-argument', message)
    this.issues = issues
  }
}

/**
 * A client of an engine of the folder, with its local token.
 *
 * @param url of the engine; null = of the one that leads.
 * @throws EngineUnreachable when none runs.
 */
export async function connectAdmin(
  dataDir: string,
  url: string | null = null,
): Promise<AdminClient> {
  if (url !== null) return createAdminClient(url, await readToken(join(dataDir, 'token')))
  const record = await readEngineRecord(dataDir)
  if (record === null)
    throw new EngineUnreachable(
      `no engine runs on ${dataDir}: start one with "krectl dev --detach"`,
    )
  if (record.adminUrl === null)
    throw new EngineUnreachable('the engine is still starting: try again in a moment')
  return createAdminClient(record.adminUrl, await readToken(join(dataDir, 'token')))
}

async function readToken(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (/^[\w-]+$/.test(token)) return token
  throw new KreError(
    'failed-precondition',
    `${file} is missing or damaged, so the engine can't be spoken to: "krectl stop" and "krectl dev" make a new one`,
  )
}

/** @param place `remote`: a URL of another computer, which no data folder tells of. */
export function createAdminClient(
  url: string,
  token: string,
  place: 'local' | 'remote' = 'local',
): AdminClient {
  const request = async (path: string, init: RequestInit, timed = true): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${token}`)
    const timeout = timed ? AbortSignal.timeout(ANSWER_TIMEOUT_MS) : null
    const signals = [init.signal ?? null, timeout].filter((signal) => signal !== null)
    const response = await fetch(new URL(path, url), {
      ...init,
      headers,
      // A token follows no redirection: where it goes was said by the user.
      redirect: 'manual',
      signal: AbortSignal.any(signals),
    }).catch((error: unknown) => {
      if (init.signal?.aborted) throw error
      throw unreachable(url, place, timeout?.aborted === true, error)
    })
    if (response.status < 300 || response.status > 399) return response
    const target = response.headers.get('location') ?? 'another address'
    throw new KreError(
      'failed-precondition',
      `${url} leads to ${target}, and krectl sends a token only where it was told to: name the address of the engine itself`,
    )
  }
  const post = (document: string, variables: unknown, accept: string): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query: document, variables }),
  })

  async function answered(method: string, path: string, call: RestCall): Promise<Response> {
    const { headers = {}, body, signal } = call
    const init = {
      method,
      headers: { ...headers },
      ...(signal === undefined ? {} : { signal }),
      // `duplex` is what Node wants for a body that is a stream.
      ...(typeof body === 'object'
        ? {
            body: body.stream,
            duplex: 'half',
            headers: { ...headers, 'content-length': String(body.bytes) },
          }
        : {}),
    }
    const response = await request(path, init as RequestInit, body === undefined)
    if (response.ok) return response
    throw fromStatus(response.status, (await response.json().catch(() => ({}))) as RestErrorBody)
  }

  async function graphql<T>(document: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await request('/graphql', post(document, variables, 'application/json'))
    const body = (await response.json().catch(() => ({}))) as {
      data?: T
      errors?: GraphQLErrorBody[]
      message?: string
    }
    if (body.errors?.[0] !== undefined) throw fromGraphQLError(body.errors[0])
    if (!response.ok || body.data === undefined) throw fromStatus(response.status, body)
    return body.data
  }

  return {
    url,
    graphql,
    async subscribe<T>(
      document: string,
      variables: Record<string, unknown>,
      onEvent: (data: T) => void,
      signal: AbortSignal,
      onOpen: () => void = () => undefined,
    ) {
      const init = { ...post(document, variables, 'text/event-stream'), signal }
      const response = await request('/graphql', init, false)
      if (!response.ok || response.body === null)
        throw fromStatus(
          response.status,
          (await response.json().catch(() => ({}))) as RestErrorBody,
        )
      onOpen()
      for await (const data of untilCut(eventData(response.body), signal)) {
        const event = JSON.parse(data) as { data?: T; errors?: GraphQLErrorBody[] }
        if (event.errors?.[0] !== undefined) throw fromGraphQLError(event.errors[0])
        if (event.data !== undefined) onEvent(event.data)
      }
      if (signal.aborted) return
      // Says itself when the engine is gone, or takes the token no more.
      await graphql('{ me { id } }')
      throw new KreError('unavailable', 'the engine ended what was followed: begin it again')
    },
    async rest<T>(method: string, path: string, call: RestCall = {}) {
      const response = await answered(method, path, call)
      return (await response.json().catch(() => ({}))) as T
    },
    async head(method: string, path: string, call: RestCall = {}) {
      const response = await answered(method, path, call)
      // Read to its end, so that the connection can be used again.
      await response.arrayBuffer().catch(() => undefined)
      return response.headers
    },
    async bytes(path) {
      const response = await request(path, {})
      if (!response.ok)
        throw fromStatus(
          response.status,
          (await response.json().catch(() => ({}))) as RestErrorBody,
        )
      return new Uint8Array(await response.arrayBuffer())
    },
    async stream(path, signal) {
      const response = await request(path, { signal }, false)
      if (response.ok && response.body !== null) return response.body
      throw fromStatus(response.status, (await response.json().catch(() => ({}))) as RestErrorBody)
    },
  }
}

type GraphQLErrorBody = {
  message: string
  extensions?: { code?: string; details?: ErrorDetails; issues?: KrtIssue[] }
}
type RestErrorBody = { code?: string; message?: string; issues?: KrtIssue[] }

function fromGraphQLError({ message, extensions }: GraphQLErrorBody): KreError {
  const code = extensions?.code?.toLowerCase().replaceAll('_', '-') ?? ''
  return new KreError(isErrorCode(code) ? code : 'internal', message, extensions?.details ?? {})
}

function fromStatus(status: number, body: RestErrorBody): KreError {
  const message = body.message ?? `the admin API answered ${status}`
  if (body.issues !== undefined && body.issues.length > 0)
    return new BundleRefused(message, body.issues)
  return new KreError(
    CODE_OF_STATUS[status] ?? (status < 500 ? 'invalid-argument' : 'internal'),
    message,
    body.code === undefined ? {} : { reason: body.code },
  )
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  408: 'deadline-exceeded',
  409: 'already-exists',
  413: 'resource-exhausted',
  501: 'unimplemented',
  503: 'unavailable',
  507: 'resource-exhausted',
}

function isErrorCode(code: string): code is ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(code)
}

/** The `data:` lines of a stream of server-sent events, one string per event (html.spec.whatwg.org, server-sent events). */
async function* eventData(body: ReadableStream<Uint8Array>): AsyncIterable<string> {
  let buffer = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true })
    const events = buffer.split(/\r?\n\r?\n/)
    buffer = events.pop() ?? ''
    for (const event of events) {
      const data = event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''))
        .join('\n')
      if (data !== '') yield data
    }
  }
}

/** What comes until the connection is cut, which ends a stream as its other end does. */
async function* untilCut(
  events: AsyncIterable<string>,
  signal: AbortSignal,
): AsyncIterable<string> {
  try {
    yield* events
  } catch (error) {
    if (signal.aborted) throw error
  }
}

/** Codes of OpenSSL and Node for a certificate that can't be believed. */
const UNTRUSTED = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/

function unreachable(
  url: string,
  place: 'local' | 'remote',
  isLate: boolean,
  cause: unknown,
): EngineUnreachable {
  const late = `the engine at ${url} has not answered within ${ANSWER_TIMEOUT_MS / SECOND_MS} s`
  if (place === 'local')
    return new EngineUnreachable(
      isLate
        ? `${late}: it hangs. "krectl stop --force" ends it`
        : `the engine at ${url} does not answer: see "krectl status"`,
      { cause },
    )
  const code = errorCodeOf(cause)
  const why = UNTRUSTED.test(code)
    ? `its certificate is not trusted (${code}): name the authority that signed it with --ca, in a profile too`
    : `look whether it runs, and whether this computer can reach it${code === '' ? '' : ` (${code})`}`
  return new EngineUnreachable(isLate ? late : `the engine at ${url} does not answer: ${why}`, {
    cause,
  })
}

/** The first code in a chain of causes: `fetch failed` says nothing itself. */
function errorCodeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return typeof code === 'string' ? code : errorCodeOf(cause)
}
