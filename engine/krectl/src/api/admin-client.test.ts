import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { processStartTime } from '@kre/service-kit'
import { exitCodeOf } from '../output/exit-code.ts'
import { connectAdmin, createAdminClient, type AdminClient } from './admin-client.ts'

/** A client of a server that answers as the admin API does in one situation. */
async function against<T>(
  listener: RequestListener,
  use: (client: AdminClient) => Promise<T>,
): Promise<T> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  try {
    return await use(createAdminClient(`http://127.0.0.1:${port}`, 'a-token'))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const answer =
  (status: number, body: unknown): RequestListener =>
  (req, res) => {
    req.resume()
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

describe('the admin client', () => {
  test('sends its token and returns the data', async () => {
    const data = await against(
      (req, res) => answer(200, { data: { token: req.headers.authorization } })(req, res),
      (client) => client.graphql('{ token }'),
    )
    expect(data).toEqual({ token: 'Bearer a-token' })
  })

  test('throws the first error of a GraphQL answer with its code', async () => {
    const errors = [{ message: 'no such thing', extensions: { code: 'NOT_FOUND' } }]
    const refused = against(answer(200, { errors, data: null }), (client) =>
      client.graphql('{ x }'),
    )
    await expect(refused).rejects.toMatchObject({ code: 'not-found', message: 'no such thing' })
  })

  test.each([
    [401, 'unauthenticated', 1],
    [403, 'permission-denied', 1],
    [404, 'not-found', 1],
    [409, 'already-exists', 1],
    [413, 'resource-exhausted', 1],
    [400, 'invalid-argument', 1],
    [500, 'internal', 1],
    [503, 'unavailable', 1],
  ])('turns HTTP status %i into %s', async (status, code, exitCode) => {
    const error: unknown = await against(answer(status, { message: 'why' }), (client) =>
      client.rest('GET', '/x').catch((thrown: unknown) => thrown),
    )
    expect(error).toMatchObject({ code, message: 'why' })
    expect(exitCodeOf(error)).toBe(exitCode)
  })

  test('keeps the issues of a refused bundle', async () => {
    const issues = [{ code: 'SRC_MISSING', level: 'error', message: 'gone' }]
    const refused = against(answer(422, { message: 'the bundle has 1 error', issues }), (client) =>
      client.rest('PUT', '/x'),
    )
    await expect(refused).rejects.toMatchObject({ name: 'BundleRefused', issues })
  })

  test('says something where the answer is not JSON', async () => {
    const refused = against(
      (_req, res) => res.writeHead(502).end('<html>'),
      (client) => client.graphql('{ x }'),
    )
    await expect(refused).rejects.toMatchObject({ message: 'the admin API answered 502' })
  })

  describe('with a stream of events', () => {
    const signal = () => new AbortController().signal
    const isStream = (accept: string | undefined) => accept === 'text/event-stream'

    test('reads them however they are cut, and says that they ended', async () => {
      const pieces = [
        'data: {"data":{"n":',
        '1}}\n',
        '\n: ping\n\nevent: next\r\ndata: {"data":{"n":2}}\r\n\r\n',
      ]
      const seen: unknown[] = []
      const ended = against(
        (req, res) => {
          if (!isStream(req.headers.accept))
            return answer(200, { data: { me: { id: 'ada' } } })(req, res)
          res.writeHead(200, { 'content-type': 'text/event-stream' })
          const next = () => {
            const piece = pieces.shift()
            if (piece === undefined) res.end()
            else res.write(piece, () => setImmediate(next))
          }
          next()
        },
        (client) => client.subscribe('subscription { n }', {}, (data) => seen.push(data), signal()),
      )
      await expect(ended).rejects.toMatchObject({ code: 'unavailable' })
      expect(seen).toEqual([{ n: 1 }, { n: 2 }])
    })

    test('says that they ended because the token is good no more', async () => {
      const ended = against(
        (req, res) => {
          if (!isStream(req.headers.accept))
            return answer(401, { message: 'the token ended' })(req, res)
          res.writeHead(200, { 'content-type': 'text/event-stream' }).end()
        },
        (client) => client.subscribe('subscription { n }', {}, () => undefined, signal()),
      )
      await expect(ended).rejects.toMatchObject({
        code: 'unauthenticated',
        message: 'the token ended',
      })
    })

    test('calls an engine unreachable that went away meanwhile', async () => {
      const server = createServer((_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n')
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      const ended: unknown = await createAdminClient(`http://127.0.0.1:${port}`, 'a-token')
        .subscribe(
          'subscription { n }',
          {},
          () => undefined,
          signal(),
          () => {
            server.close()
            server.closeAllConnections()
          },
        )
        .catch((thrown: unknown) => thrown)
      expect(exitCodeOf(ended)).toBe(69)
    })
  })

  test('calls an engine that is gone unreachable', async () => {
    const client = await against(answer(200, {}), async (it) => it)
    const error: unknown = await client.graphql('{ x }').catch((thrown: unknown) => thrown)
    expect(exitCodeOf(error)).toBe(69)
  })
})

describe('connectAdmin', () => {
  const dataDir = async (files: Record<string, string>) => {
    const dir = await mkdtemp(join(tmpdir(), 'krectl-'))
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
    return dir
  }
  const record = async (adminUrl: string | null) =>
    JSON.stringify({
      pid: process.pid,
      startTime: await processStartTime(process.pid),
      adminUrl,
      startedAt: '2026-01-01T00:00:00Z',
    })

  test.each([
    ['there is none', async () => ({}), 69, 'no engine runs on'],
    ['its record is cut off', async () => ({ 'engine.json': '{"pid' }), 69, 'no engine runs on'],
    ['it is still starting', async () => ({ 'engine.json': await record(null) }), 69, 'starting'],
    [
      'the token is gone',
      async () => ({ 'engine.json': await record('http://localhost:1') }),
      1,
      'token is missing or damaged',
    ],
    [
      'the token is damaged',
      async () => ({ 'engine.json': await record('http://localhost:1'), token: 'ü\u0000' }),
      1,
      'token is missing or damaged',
    ],
  ])('says that %s', async (_what, files, code, message) => {
    const dir = await dataDir(await files())
    const error: unknown = await connectAdmin(dir).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
    expect(exitCodeOf(error)).toBe(code)
    await rm(dir, { recursive: true })
  })
})
