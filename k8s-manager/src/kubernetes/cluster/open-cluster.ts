/**
 * The API server over HTTPS. Of the official client only what knows kubeconfigs, logins and plugins of clouds is used:
 * the requests are few, and each has a deadline and can be aborted.
 */
import { once } from 'node:events'
import * as http from 'node:http'
import * as https from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError, MiB, MINUTE_MS, SECOND_MS } from '@kre/contracts'
import type { KubeConfig as Config } from '@kubernetes/client-node'
import { KubeConfig } from './load-client.ts'

export type Request = {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly contentType?: string
  readonly body?: unknown
  readonly signal: AbortSignal
}
export type Answer = { readonly status: number; readonly body: string }

export type Cluster = Disposable & {
  /** `https://10.0.0.1:6443` */
  readonly server: string
  /** @throws KreError `unavailable` when no answer comes. */
  request(request: Request): Promise<Answer>
  /**
   * Opens a stream of lines. Ends when the server ends it, or nothing came for so long that the connection must be dead.
   *
   * @throws KreError `unavailable`.
   */
  stream(path: string, signal: AbortSignal): Promise<Answer | AsyncIterable<string>>
}

const REQUEST_TIMEOUT_MS = 30 * SECOND_MS
/** Servers send a bookmark every minute or so, and end a watch before this. */
const SILENCE_MS = 3 * MINUTE_MS
/** One event of a watch: an object of etcd has 1.5 MiB at most. */
const LINE_CHARS_MAX = 8 * MiB
const KEEP_ALIVE_MS = 30 * SECOND_MS
/** Connections of requests under way, watches included: what comes on top waits here, and not in the server's memory. */
const CONNECTIONS_MAX = 32
/** … of which so many stay open: each takes some 100 KB. */
const IDLE_CONNECTIONS_MAX = 4
const UNAUTHENTICATED = 401
/** A server that has too much to do, or is about to end, names the seconds after which it wants to be asked again. */
const BUSY: ReadonlySet<number> = new Set([429, 503])
const BUSY_TRIES = 5
const RETRY_AFTER_S_MAX = 10

/**
 * @param kubeconfig path of the file; null = `$KUBECONFIG`, `~/.kube/config`, or the pod's own service account.
 * @throws KreError `failed-precondition` when it names no cluster.
 */
export function openCluster(kubeconfig: string | null): Cluster {
  let config = loadConfig(kubeconfig)
  const server = config.getCurrentCluster()?.server ?? ''
  const base = new URL(server)
  const { request: start, Agent } = base.protocol === 'http:' ? http : https
  const agent = new Agent({
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    maxSockets: CONNECTIONS_MAX,
    maxFreeSockets: IDLE_CONNECTIONS_MAX,
  })
  const hasProxy = config.getCurrentCluster()?.proxyUrl !== undefined

  const send = async (
    { method, path, contentType, body, signal }: Request,
    login: https.RequestOptions,
    timeoutMs: number,
  ) => {
    const content = body === undefined ? null : Buffer.from(JSON.stringify(body))
    const request = start(new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base), {
      ...login,
      // The client makes a new agent, and so a new connection, for each request.
      agent: hasProxy ? login.agent : agent,
      method,
      headers: {
        ...(login.headers as Record<string, string> | undefined),
        accept: 'application/json',
        'user-agent': 'kre',
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        // Node sends the body of a DELETE without its length, and then it is taken for the next request.
        ...(content === null ? {} : { 'content-length': content.length }),
      },
      timeout: timeoutMs,
      signal,
    })
    request.once('timeout', () =>
      request.destroy(new Error(`no answer within ${timeoutMs / SECOND_MS} s`)),
    )
    request.end(content)
    // After the response has begun its reader learns of it; here it would end the process.
    request.on('error', () => undefined)
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    return response
  }
  /** Nothing was done of a request that is to be sent again. */
  const sendWhenWanted = async (
    request: Request,
    login: https.RequestOptions,
    timeoutMs: number,
  ) => {
    for (let tries = 1; ; tries++) {
      const response = await send(request, login, timeoutMs)
      const waitS = retryAfterS(response)
      if (waitS === null || tries === BUSY_TRIES) return response
      response.resume()
      // Not all at the same moment.
      await sleep(waitS * SECOND_MS * (1 + Math.random() / 2), undefined, {
        signal: request.signal,
      })
    }
  }
  /** Logins are renewed in their files: by the kubelet, by people, by programs of a cloud. */
  const ask = async (request: Request, timeoutMs: number) => {
    const login = await loginOf(config)
    const response = await sendWhenWanted(request, login, timeoutMs)
    if (response.statusCode !== UNAUTHENTICATED) return response
    const next = readConfigAgain(kubeconfig, server)
    const renewed = next === null ? null : await loginOf(next).catch(() => null)
    if (next === null || renewed === null || isSameLogin(login, renewed)) return response
    config = next
    response.resume()
    return sendWhenWanted(request, renewed, timeoutMs)
  }

  return {
    server,
    async request(request) {
      try {
        const response = await ask(request, REQUEST_TIMEOUT_MS)
        return { status: response.statusCode ?? 0, body: await text(response) }
      } catch (error) {
        throw unreachable(server, error, request.signal)
      }
    },
    async stream(path, signal) {
      try {
        const response = await ask({ method: 'GET', path, signal }, SILENCE_MS)
        const status = response.statusCode ?? 0
        if (status !== 200) return { status, body: await text(response) }
        return lines(response, server, signal)
      } catch (error) {
        throw unreachable(server, error, signal)
      }
    },
    [Symbol.dispose]() {
      agent.destroy()
    },
  }
}

/** @returns null for an answer that counts, and for a wait that nobody shall have. */
function retryAfterS({ statusCode = 0, headers }: http.IncomingMessage): number | null {
  const seconds = headers['retry-after'] ?? ''
  if (!BUSY.has(statusCode) || !/^\d{1,4}$/.test(seconds)) return null
  return Number(seconds) > RETRY_AFTER_S_MAX ? null : Number(seconds)
}

async function* lines(
  response: http.IncomingMessage,
  server: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let rest = ''
  try {
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      if (rest.length > LINE_CHARS_MAX)
        throw new Error(`a line has more than ${LINE_CHARS_MAX} characters`)
      yield* parts
    }
  } catch (error) {
    throw unreachable(server, error, signal)
  } finally {
    response.destroy()
  }
}

function loadConfig(kubeconfig: string | null): Config {
  const config = new KubeConfig()
  try {
    if (kubeconfig === null) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
  } catch (error) {
    throw new KreError(
      'failed-precondition',
      `the kubeconfig${kubeconfig === null ? '' : ` ${kubeconfig}`} can't be read: ${reasonOf(error)}`,
      {},
      { cause: error },
    )
  }
  if (config.getCurrentCluster() === null)
    throw new KreError(
      'failed-precondition',
      'the kubeconfig names no current cluster: choose one with "kubectl config use-context"',
    )
  return config
}

/** Null = it can't be read at this moment, as somebody is writing it, or it leads to another cluster by now. */
function readConfigAgain(kubeconfig: string | null, server: string): Config | null {
  try {
    const config = loadConfig(kubeconfig)
    return config.getCurrentCluster()?.server === server ? config : null
  } catch (error) {
    if (error instanceof KreError) return null
    throw error
  }
}

async function loginOf(config: Config): Promise<https.RequestOptions> {
  const login: https.RequestOptions = {}
  await config.applyToHTTPSOptions(login)
  return login
}

function isSameLogin(a: https.RequestOptions, b: https.RequestOptions): boolean {
  const proof = ({ headers, auth, cert, key }: https.RequestOptions) =>
    JSON.stringify([headers, auth, cert, key])
  return proof(a) === proof(b)
}

function unreachable(server: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  return new KreError(
    'unavailable',
    `the cluster at ${server} can't be reached: ${reasonOf(error)}`,
    {},
    { cause: error },
  )
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
