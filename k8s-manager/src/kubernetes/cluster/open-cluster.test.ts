import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from '@jest/globals'
import { openCluster } from './open-cluster.ts'

const signal = new AbortController().signal

async function serve(listener: RequestListener, path = '') {
  const home = await mkdtemp(join(tmpdir(), 'kre-cluster-'))
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const kubeconfig = join(home, 'config')
  const logIn = async (token: string) => writeFile(kubeconfig, contentWith(token))
  const contentWith = (token: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'c',
          cluster: { server: `http://127.0.0.1:${port}${path}`, 'insecure-skip-tls-verify': true },
        },
      ],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    })
  await logIn('the-token')
  const cluster = openCluster(kubeconfig)
  return {
    cluster,
    server,
    kubeconfig,
    logIn,
    async [Symbol.asyncDispose]() {
      cluster[Symbol.dispose]()
      server.closeAllConnections()
      server.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}

async function collect(lines: AsyncIterable<string> | object): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines as AsyncIterable<string>) all.push(line)
  return all
}

describe('a cluster', () => {
  test('is asked with the login of the kubeconfig, below the path of its server', async () => {
    await using it = await serve((request, response) => {
      response.statusCode = 201
      response.end(`${request.method} ${request.url} ${request.headers.authorization}`)
    }, '/k8s/clusters/c-1/')
    const answer = await it.cluster.request({ method: 'GET', path: '/version?a=b', signal })
    expect(answer).toEqual({
      status: 201,
      body: 'GET /k8s/clusters/c-1/version?a=b Bearer the-token',
    })
  })

  test.each(['PATCH', 'DELETE'] as const)(
    'gets the body of a %s, and the next request after it',
    async (method) => {
      await using it = await serve((request, response) => {
        void text(request).then((body) => response.end(`${request.method} ${body}`))
      })
      const body = { preconditions: { uid: 'ä' } }
      for (let i = 0; i < 3; i++)
        expect(await it.cluster.request({ method, path: '/a', body, signal })).toEqual({
          status: 200,
          body: `${method} ${JSON.stringify(body)}`,
        })
    },
  )

  test('streams lines, however they are cut', async () => {
    await using it = await serve((_request, response) => {
      const bytes = Buffer.from('{"a":"ä"}\n{"b":2}\n{"c"')
      response.write(bytes.subarray(0, 7))
      setImmediate(() => response.end(bytes.subarray(7)))
    })
    expect(await collect(await it.cluster.stream('/watch', signal))).toEqual([
      '{"a":"ä"}',
      '{"b":2}',
    ])
  })

  test('answers a stream that is refused as it answers a request', async () => {
    await using it = await serve((_request, response) => response.writeHead(410).end('gone'))
    expect(await it.cluster.stream('/watch', signal)).toEqual({ status: 410, body: 'gone' })
  })

  test('whose connection breaks in the middle of a stream is unavailable', async () => {
    await using it = await serve((_request, response) => {
      response.write('{"a":1}\n')
      setImmediate(() => response.destroy())
    })
    const lines = await it.cluster.stream('/watch', signal)
    await expect(collect(lines)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('that nobody serves is unavailable, with its address', async () => {
    await using it = await serve(() => undefined)
    it.server.close()
    await once(it.server, 'close')
    const asked = it.cluster.request({ method: 'GET', path: '/version', signal })
    await expect(asked).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /^the cluster at http:\/\/127\.0\.0\.1:\d+ can't be reached: .*ECONNREFUSED/,
      ),
    })
  })

  test('lets in who has written another login into the kubeconfig, and asks no second time without one', async () => {
    const asked: string[] = []
    await using it = await serve((request, response) => {
      const { authorization = '' } = request.headers
      asked.push(authorization)
      response.writeHead(authorization === 'Bearer next' ? 200 : 401).end('{}')
    })
    const ask = async () => it.cluster.request({ method: 'GET', path: '/version', signal })
    expect((await ask()).status).toBe(401)
    // Somebody is writing it.
    await writeFile(it.kubeconfig, '{')
    expect((await ask()).status).toBe(401)
    expect(asked).toEqual(['Bearer the-token', 'Bearer the-token'])
    await it.logIn('next')
    expect((await ask()).status).toBe(200)
    expect(await it.cluster.stream('/watch', signal)).not.toHaveProperty('status')
    expect(asked.slice(2)).toEqual(['Bearer the-token', 'Bearer next', 'Bearer next'])
  })

  test('does not get the login of another one that the kubeconfig leads to by now', async () => {
    const asked: string[] = []
    await using it = await serve((request, response) => {
      asked.push(request.headers.authorization ?? '')
      response.writeHead(401).end('{}')
    })
    await it.logIn('of-the-other')
    const text = await readFile(it.kubeconfig, 'utf8')
    await writeFile(it.kubeconfig, text.replace(/127.0.0.1:\d+/, 'other.example.com'))
    await it.cluster.request({ method: 'GET', path: '/version', signal })
    expect(asked).toEqual(['Bearer the-token'])
  })

  test.each([429, 503])('that is busy (%d) is asked again when it wants to be', async (status) => {
    let asked = 0
    await using it = await serve((request, response) => {
      if (++asked < 3) response.writeHead(status, { 'retry-after': '0' }).end('later')
      else void text(request).then((body) => response.end(body))
    })
    const body = { a: 1 }
    expect(await it.cluster.request({ method: 'PATCH', path: '/a', body, signal })).toEqual({
      status: 200,
      body: JSON.stringify(body),
    })
    asked = 0
    expect(await it.cluster.stream('/watch', signal)).not.toHaveProperty('status')
  })

  test.each([
    ['names no time', {}, 1],
    ['names a time too far away', { 'retry-after': '3600' }, 1],
    ['names a date', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, 1],
    ['stays busy', { 'retry-after': '0' }, 5],
  ])('that is busy and %s is told about', async (_how, headers, times) => {
    let asked = 0
    await using it = await serve((_request, response) => {
      asked += 1
      response.writeHead(429, headers).end('later')
    })
    const answer = await it.cluster.request({ method: 'GET', path: '/version', signal })
    expect({ ...answer, asked }).toEqual({ status: 429, body: 'later', asked: times })
  })

  test('that is busy is not waited for by one who has given up', async () => {
    const given = new AbortController()
    await using it = await serve((_request, response) => {
      response.writeHead(429, { 'retry-after': '9' }).end('later')
      setImmediate(() => given.abort(new Error('given up')))
    })
    const asked = it.cluster.request({ method: 'GET', path: '/version', signal: given.signal })
    await expect(asked).rejects.toThrow('given up')
  })

  test('is not waited for by one who has given up', async () => {
    await using it = await serve(() => undefined)
    const given = new AbortController()
    const asked = it.cluster.request({ method: 'GET', path: '/version', signal: given.signal })
    given.abort(new Error('given up'))
    await expect(asked).rejects.toThrow('given up')
  })
})

describe('a kubeconfig', () => {
  test.each([
    ['is not there', null],
    ['is no YAML', '{{'],
    [
      'names no cluster',
      '{"apiVersion":"v1","kind":"Config","clusters":[],"users":[],"contexts":[]}',
    ],
  ])('that %s is refused', async (_name, content) => {
    const home = await mkdtemp(join(tmpdir(), 'kre-cluster-'))
    const path = join(home, 'config')
    if (content !== null) await writeFile(path, content)
    expect(() => openCluster(path)).toThrow(
      expect.objectContaining({ code: 'failed-precondition' }),
    )
    await rm(home, { recursive: true })
  })
})
