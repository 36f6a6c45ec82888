/** The admin API as the command line uses it: GraphQL, uploads, server-sent events, all with the local token. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ERROR_CODES, KreError, type ErrorCode, type KrtIssue } from '@kre/contracts'
import { readEngineRecord } from '@kre/service-kit'
import { EngineUnreachable } from '../output/exit-code.ts'

export type AdminClient = {
  url: string
  /** @throws KreError of the API's first error. */
  graphql<T>(document: string, variables?: Record<string, unknown>): Promise<T>
  /** Calls back for each event of a subscription until it ends or `signal` aborts. */
  subscribe<T>(
    document: string,
    variables: Record<string, unknown>,
    onEvent: (data: T) => void,
    signal: AbortSignal,
  ): Promise<void>
  /** A JSON document of a REST route. */
  rest<T>(
    method: string,
    path: string,
    body?: RequestInit['body'],
    signal?: AbortSignal,
  ): Promise<T>
  bytes(path: string): Promise<Uint8Array>
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

export async function connectAdmin(dataDir: string): Promise<AdminClient> {
  const record = await readEngineRecord(dataDir)
  if (record === null)
    throw new EngineUnreachable(
      `no engine runs on ${dataDir}: start one with "krectl dev --detach"`,
    )
  if (record.adminUrl === null)
    throw new EngineUnreachable('the engine is still starting: try again in a moment')
  const token = (await readFile(join(dataDir, 'token'), 'utf8')).trim()
  return createAdminClient(record.adminUrl, token)
}

export function createAdminClient(url: string, token: string): AdminClient {
  const request = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${token}`)
    try {
      return await fetch(new URL(path, url), { ...init, headers })
    } catch (error) {
      if (init.signal?.aborted) throw error
      throw new EngineUnreachable(`the engine at ${url} does not answer: see "krectl status"`, {
        cause: error,
      })
    }
  }
  const post = (document: string, variables: unknown, accept: string, signal?: AbortSignal) =>
    request('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query: document, variables }),
      ...(signal === undefined ? {} : { signal }),
    })

  return {
    url,
    async graphql<T>(document: string, variables: Record<string, unknown> = {}) {
      const response = await post(document, variables, 'application/json')
      const body = (await response.json().catch(() => ({}))) as {
        data?: T
        errors?: GraphQLErrorBody[]
        message?: string
      }
      if (body.errors?.[0] !== undefined) throw fromGraphQLError(body.errors[0])
      if (!response.ok || body.data === undefined) throw fromStatus(response.status, body)
      return body.data
    },
    async subscribe<T>(
      document: string,
      variables: Record<string, unknown>,
      onEvent: (data: T) => void,
      signal: AbortSignal,
    ) {
      const response = await post(document, variables, 'text/event-stream', signal)
      if (!response.ok || response.body === null)
        throw fromStatus(
          response.status,
          (await response.json().catch(() => ({}))) as RestErrorBody,
        )
      for await (const data of eventData(response.body)) {
        const event = JSON.parse(data) as { data?: T; errors?: GraphQLErrorBody[] }
        if (event.errors?.[0] !== undefined) throw fromGraphQLError(event.errors[0])
        if (event.data !== undefined) onEvent(event.data)
      }
    },
    async rest<T>(method: string, path: string, body?: RequestInit['body'], signal?: AbortSignal) {
      // `duplex` is what Node wants for a body that is a stream.
      const init = {
        method,
        ...(body === undefined ? {} : { body, duplex: 'half' }),
        ...(signal === undefined ? {} : { signal }),
      }
      const response = await request(path, init as RequestInit)
      const answer = (await response.json().catch(() => ({}))) as T & RestErrorBody
      if (!response.ok) throw fromStatus(response.status, answer)
      return answer
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
  }
}

type GraphQLErrorBody = { message: string; extensions?: { code?: string; issues?: KrtIssue[] } }
type RestErrorBody = { code?: string; message?: string; issues?: KrtIssue[] }

function fromGraphQLError({ message, extensions }: GraphQLErrorBody): KreError {
  const code = extensions?.code?.toLowerCase().replaceAll('_', '-') ?? ''
  return new KreError(isErrorCode(code) ? code : 'internal', message)
}

function fromStatus(status: number, body: RestErrorBody): KreError {
  const message = body.message ?? `the admin API answered ${status}`
  if (body.issues !== undefined && body.issues.length > 0)
    return new BundleRefused(message, body.issues)
  const code: ErrorCode =
    status === 401
      ? 'unauthenticated'
      : status === 404
        ? 'not-found'
        : status === 409
          ? 'already-exists'
          : status < 500
            ? 'invalid-argument'
            : 'internal'
  return new KreError(code, message)
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
