import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ClientReadableStream, Client, credentials, status } from '@grpc/grpc-js'
import { type Envelope, MESSAGE_TYPE } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { demoInterface, GREET, sendDeathNotice } from './testing/demo-version.ts'
import { openSender } from './testing/frame-sender.ts'
import { frame } from './testing/raw-client.ts'
import { openScene, type Scene } from './testing/scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const served = {
  methods: demoInterface('').methods.map((method) =>
    method.path === GREET ? { ...method, serverStreaming: true } : method,
  ),
}
const openStreaming = (options: Parameters<typeof openScene>[1] = {}) =>
  openScene(nats, { served, ...options })

type Reading = {
  readonly call: ClientReadableStream<Buffer>
  readonly texts: string[]
  readonly end: Promise<{ code: number; details: string; requestId: string }>
}

/** A foreign client. */
function read(client: Client, options: { deadlineMs?: number } = {}): Reading {
  const raw = (bytes: Buffer) => bytes
  const call = client.makeServerStreamRequest(
    GREET,
    raw,
    raw,
    Buffer.from('go'),
    options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs },
  )
  const texts: string[] = []
  call.on('data', (message: Buffer) => void texts.push(String(message)))
  call.on('error', () => undefined)
  const end = new Promise<Awaited<Reading['end']>>((resolve) =>
    call.on('status', ({ code, details, metadata }) =>
      resolve({ code, details, requestId: String(metadata.get('request-id')[0]) }),
    ),
  )
  return { call, texts, end }
}

async function withClient<T>(scene: Scene, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(scene.entrypoint.address, credentials.createInsecure())
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

/** Starts a request and waits until the node has it. */
async function begin(scene: Scene, client: Client, options: { deadlineMs?: number } = {}) {
  const node = scene.startNode({ handler: () => null })
  const reading = read(client, options)
  await waitUntil('the request is there', () => node.requests.length > 0)
  const request = node.requests[0] as Envelope
  return { node, reading, request, sender: openSender(scene, request) }
}

describe('a streamed answer', () => {
  test('reaches the caller message by message and ends with OK and the request id', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender, request } = await begin(scene, client)
      sender.send('one')
      await waitUntil('the first message', () => reading.texts.length === 1)
      sender.send('two')
      sender.send('')
      sender.end()
      expect(await reading.end).toEqual({ code: 0, details: '', requestId: request.requestId })
      expect(reading.texts).toEqual(['one', 'two', ''])
      expect(scene.entrypoint.stats()).toMatchObject({ answered: 1, inFlight: 0, bytes: 0 })
    })
  })

  test('may be empty', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender } = await begin(scene, client)
      sender.end()
      expect(await reading.end).toMatchObject({ code: 0 })
      expect(reading.texts).toEqual([])
    })
  })

  test('takes messages of several nodes, and stops those that go on after its end', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender, request } = await begin(scene, client)
      const other = openSender(scene, request)
      other.send('early')
      sender.send('late')
      sender.end()
      expect(await reading.end).toMatchObject({ code: 0 })
      expect(reading.texts).toEqual(['early', 'late'])
      await waitUntil('the other one is stopped', () => other.stops.length === 1)
      other.send('too late')
      await waitUntil('it is told again', () => other.stops.length === 2)
      expect(sender.stops).toEqual([])
    })
  })

  test('ends with an early exit after its message, and the nodes are told', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender, node, request } = await begin(scene, client)
      sender.send('one')
      sender.send('last', { messageType: MESSAGE_TYPE.earlyExit })
      expect(await reading.end).toMatchObject({ code: 0 })
      expect(reading.texts).toEqual(['one', 'last'])
      await waitUntil('cancelled', () => node.cancelled.includes(request.requestId))
    })
  })

  test('ends with the error of a node after the messages before it', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender, node, request } = await begin(scene, client)
      sender.send('one')
      await waitUntil('the first message', () => reading.texts.length === 1)
      node.reply(request, { messageType: MESSAGE_TYPE.error, error: 'boom', statusCode: 13 })
      expect(await reading.end).toMatchObject({ code: status.INTERNAL, details: 'boom' })
      expect(reading.texts).toEqual(['one'])
    })
  })

  test('is cut when a message was lost, and takes a repeated one once', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender } = await begin(scene, client)
      sender.send('one')
      sender.send('one', { sequence: 1 })
      sender.send('four', { sequence: 4 })
      const end = await reading.end
      expect(end).toMatchObject({ code: status.ABORTED })
      expect(end.details).toContain(
        'the stream was cut after 1 message: messages of a node were lost',
      )
      expect(reading.texts).toEqual(['one'])
    })
  })

  test('is cut when its sender says that it sent more', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender } = await begin(scene, client)
      sender.send('one')
      sender.end(2)
      expect(await reading.end).toMatchObject({ code: status.ABORTED })
    })
  })

  test.each([
    ['a plain answer', { messageType: MESSAGE_TYPE.ok }],
    ['a message of another type', { typeUrl: 'type.googleapis.com/demo.Other' }],
  ])('fails for %s', async (_, wrong) => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender } = await begin(scene, client)
      sender.send('x', wrong)
      expect(await reading.end).toMatchObject({ code: status.INTERNAL })
    })
  })

  test('has one deadline for all of it', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender, node, request } = await begin(scene, client, { deadlineMs: 150 })
      sender.send('one')
      expect(await reading.end).toMatchObject({ code: status.DEADLINE_EXCEEDED })
      await waitUntil('cancelled', () => node.cancelled.includes(request.requestId))
      expect(scene.entrypoint.stats()).toMatchObject({ inFlight: 0 })
    })
  })

  test('is given up with its caller: nodes and senders are told', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender, node, request } = await begin(scene, client)
      sender.send('one')
      await waitUntil('the first message', () => reading.texts.length === 1)
      reading.call.cancel()
      await waitUntil('cancelled', () => node.cancelled.includes(request.requestId))
      await waitUntil('stopped', () => sender.stops.length === 1)
      expect(scene.entrypoint.stats()).toMatchObject({ cancelled: 1, inFlight: 0, bytes: 0 })
    })
  })

  test('is refused for a caller that can take one message only', async () => {
    await using scene = await openStreaming()
    scene.startNode()
    const answer = await fetch(`http://${scene.entrypoint.address}${GREET}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(await answer.text()).toContain('stream')
  })
})

describe('credit for senders', () => {
  test('comes as messages leave to a caller that reads', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender } = await begin(scene, client)
      for (let i = 0; i < 40; i++) sender.send(`${i}`)
      await waitUntil('all messages', () => reading.texts.length === 40)
      await waitUntil('two grants', () => sender.credits.length === 2)
      expect(sender.credits).toEqual([16, 32])
      sender.end()
      await reading.end
    })
  })

  test('is held back while the caller does not read, and comes when it does', async () => {
    await using scene = await openStreaming()
    const node = scene.startNode({ handler: () => null })
    const stream = scene.client.open(GREET)
    stream.end(frame('go'))
    stream.pause()
    await waitUntil('the request is there', () => node.requests.length > 0)
    const sender = openSender(scene, node.requests[0] as Envelope)
    const text = 'x'.repeat(50_000)
    for (let i = 0; i < 60; i++) sender.send(text)
    await waitUntil('the entrypoint keeps them', () => scene.entrypoint.stats().bytes > 500_000)
    const before = sender.credits.at(-1) ?? 0
    expect(before).toBeLessThan(40)
    let bytes = 0
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume()
    await waitUntil('all is granted', () => sender.credits.at(-1) === 60)
    sender.end()
    await waitUntil('all is read', () => bytes === 60 * (text.length + 5))
    await waitUntil('nothing is kept', () => scene.entrypoint.stats().bytes === 0)
  })

  test('ends for a caller that does not read when there is no room to keep more', async () => {
    await using scene = await openStreaming({ limits: { bytesMax: 500_000 } })
    const node = scene.startNode({ handler: () => null })
    const stream = scene.client.open(GREET)
    stream.end(frame('go'))
    stream.on('error', () => undefined)
    stream.pause()
    await waitUntil('the request is there', () => node.requests.length > 0)
    const sender = openSender(scene, node.requests[0] as Envelope)
    for (let i = 0; i < 40; i++) sender.send('x'.repeat(50_000))
    await waitUntil('it is stopped', () => sender.stops.length > 0)
    expect(scene.entrypoint.stats()).toMatchObject({ errored: 1, inFlight: 0 })
    await waitUntil('its memory is free', () => scene.entrypoint.stats().bytes === 0)
    expect(stream.rstCode).toBe(11)
  })
})

describe('a node that dies', () => {
  const death = (requestId: string) => ({
    workflow: 'greet',
    node: 'greeter',
    replica: 0,
    pid: 1,
    interrupted: [requestId],
    reason: 'killed',
  })

  test('cuts the stream when the caller has messages of it', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender, node, request } = await begin(scene, client)
      sender.send('one')
      await waitUntil('the first message', () => reading.texts.length === 1)
      sendDeathNotice(scene.nats, scene.version, death(request.requestId))
      const end = await reading.end
      expect(end.code).toBe(status.ABORTED)
      expect(end.details).toContain('the stream was cut after 1 message: node "greeter" died')
      expect(node.requests).toHaveLength(1)
    })
  })

  test('leaves alone a stream that others send', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender } = await begin(scene, client)
      sender.send('one')
      await waitUntil('the first message', () => reading.texts.length === 1)
      sendDeathNotice(scene.nats, scene.version, death('another'))
      sender.send('two')
      sender.end()
      expect(await reading.end).toMatchObject({ code: 0 })
    })
  })

  test('before the first message has the request sent again, and one sending wins', async () => {
    await using scene = await openStreaming()
    await withClient(scene, async (client) => {
      const { reading, sender, node, request } = await begin(scene, client)
      sendDeathNotice(scene.nats, scene.version, death(request.requestId))
      node.stop()
      const next = scene.startNode({ handler: () => null, pid: 2 })
      await waitUntil('it is sent again', () => next.requests.length === 1)
      const again = next.requests[0] as Envelope
      expect(again).toMatchObject({ requestId: request.requestId, attempt: 2 })
      const second = openSender(scene, again)
      second.send('of the second')
      await waitUntil('the first message', () => reading.texts.length === 1)
      sender.send('of the first')
      sender.end()
      await waitUntil('the first sending is stopped', () => sender.stops.length === 2)
      second.end()
      expect(await reading.end).toMatchObject({ code: 0 })
      expect(reading.texts).toEqual(['of the second'])
    })
  })
})
