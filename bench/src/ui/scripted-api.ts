/**
 * A server for the admin UI that answers what the UI asks and sends as much as it is told to: what the browser does
 * with that is measured, not an engine.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildSchema, graphql, parse, type DocumentNode } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { logLine, me, runtime, trafficOf, version } from './sample-world.ts'

export type ScriptedApi = AsyncDisposable & {
  readonly url: string
  /** Traffic updates per second from now on. */
  setRate(perSecond: number): void
  /** Log lines that there are. */
  setLines(count: number): void
  /** Puts a line at the end of the log, and sends it to those who follow. */
  writeLine(message: string): void
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
}
/** As the engine has it, as far as it costs the browser something. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws:; require-trusted-types-for 'script'"

/** @param folders of the built UI, of its operations by digest, and the schema. */
export async function startScriptedApi(of: {
  dist: string
  schema: string
  operations: ReadonlyMap<string, string>
}): Promise<ScriptedApi> {
  const schema = buildSchema(await readFile(of.schema, 'utf8'))
  const world = createWorld()
  const server = createServer((req, res) => {
    const path = new URL(req.url ?? '/', 'http://localhost').pathname
    const handled = path === '/graphql' ? answer(req, res) : serve(of.dist, path, res)
    handled.catch((error: unknown) => res.writeHead(500).end(String(error)))
  })

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = JSON.parse(await textOf(req)) as Asked
    const result = await graphql({
      schema,
      source: textOfOperation(of.operations, body),
      rootValue: world.root,
      variableValues: body.variables ?? {},
    })
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result))
  }

  const sockets = new WebSocketServer({ server, path: '/graphql' })
  const ended = useServer(
    {
      schema,
      roots: { subscription: world.root },
      onSubscribe: (_context, _id, asked) => ({
        schema,
        document: documentOf(textOfOperation(of.operations, asked as Asked)),
        variableValues: (asked.variables ?? {}) as Record<string, unknown>,
        rootValue: world.root,
      }),
    },
    sockets,
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    ...world.controls,
    async [Symbol.asyncDispose]() {
      world.end()
      await ended.dispose()
      server.closeAllConnections()
      server.close()
    },
  }
}

type Asked = {
  variables?: Record<string, unknown> | null
  extensions?: { persistedQuery?: { sha256Hash?: string } } | null
}

/** The UI names its operations by their digests, and leaves their texts empty. */
function textOfOperation(operations: ReadonlyMap<string, string>, asked: Asked): string {
  const text = operations.get(asked.extensions?.persistedQuery?.sha256Hash ?? '')
  if (text !== undefined) return text
  throw new Error('this is no operation of the admin UI: build it anew')
}

const documents = new Map<string, DocumentNode>()
function documentOf(text: string): DocumentNode {
  const known = documents.get(text) ?? parse(text)
  documents.set(text, known)
  return known
}

/** What there is, and the hands that change it. */
function createWorld() {
  let perSecond = 1
  let lines = 0
  let round = 0
  let isOver = false
  const written = new Map<number, string>()
  const tails = new Set<(line: ReturnType<typeof logLine>) => void>()
  const lineAt = (number: number) => {
    const message = written.get(number)
    return message === undefined ? logLine(number) : { ...logLine(number), message }
  }
  const root = {
    me,
    runtimes: [runtime],
    runtime,
    version,
    versions: [version],
    recentRequests: [],
    edgeSamples: [],
    traffic: () => trafficOf(0),
    logs({ cursor, limit }: { cursor: string | null; limit: number | null }) {
      const from = cursor === null ? lines : Number(cursor)
      const count = Math.min(limit ?? 40, from)
      const items = Array.from({ length: count }, (_, index) => lineAt(from - 1 - index))
      return { cursor: from - count > 0 ? String(from - count) : null, items }
    },
    async *watchTraffic() {
      while (!isOver) {
        yield { watchTraffic: trafficOf((round += 1)) }
        await sleep(1000 / perSecond)
      }
    },
    async *watchVersion() {
      while (!isOver) await sleep(60_000, undefined, { ref: false })
      yield { watchVersion: version }
    },
    async *watchNodeLogs() {
      let waiting: ReturnType<typeof logLine>[] = []
      let wake = (): void => undefined
      const take = (line: ReturnType<typeof logLine>): void => {
        waiting.push(line)
        wake()
      }
      tails.add(take)
      try {
        while (!isOver) {
          for (const line of waiting.splice(0)) yield { watchNodeLogs: line }
          await new Promise<void>((resolve) => {
            wake = resolve
            if (waiting.length > 0) resolve()
          })
        }
      } finally {
        waiting = []
        tails.delete(take)
      }
    },
  }
  const controls = {
    setRate(next: number) {
      perSecond = next
    },
    setLines(count: number) {
      lines = count
    },
    writeLine(message: string) {
      written.set(lines, message)
      lines += 1
      for (const take of tails) take(lineAt(lines - 1))
    },
  }
  return {
    root,
    controls,
    end() {
      isOver = true
    },
  }
}

/** Files as they were compressed at the build; every other address below `/ui/` is the page. */
async function serve(dist: string, path: string, res: ServerResponse): Promise<void> {
  if (!path.startsWith('/ui/')) {
    res.writeHead(path === '/' ? 302 : 404, path === '/' ? { location: '/ui/' } : {}).end()
    return
  }
  const name = path.slice('/ui/'.length)
  const isPage = !/^(assets\/)?[\w.-]+\.\w+$/.test(name)
  const file = join(dist, isPage ? 'index.html' : name)
  const compressed = await readFile(`${file}.br`).catch(() => null)
  const content = compressed ?? (await readFile(file))
  const body = isPage ? fromRoot(content.toString(), name) : content
  res
    .writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
      ...(compressed === null ? {} : { 'content-encoding': 'br' }),
    })
    .end(body)
}

/** Addresses in the page are relative to the root of the UI. */
function fromRoot(page: string, name: string): string {
  const up = '../'.repeat(name.split('/').length - 1)
  return up === '' ? page : page.replaceAll('="./', `="${up}`)
}

async function textOf(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of req as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString()
}
