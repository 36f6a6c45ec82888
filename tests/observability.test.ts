/** What an operator sees of requests: `/metrics` of the engine, and spans at a receiver of OpenTelemetry. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { connectForeign, type ForeignClient } from './support/grpc-client.ts'
import { createKre, type Kre, type Status } from './support/kre.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER_SPAN = '00f067aa0ba902b7'
type OtlpSpan = {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  endTimeUnixNano: string
}

let kre: Kre
let receiver: Server
let client: ForeignClient
const spans: OtlpSpan[] = []

beforeAll(async () => {
  receiver = createServer((req, res) => {
    let body = ''
    req.on('data', (chunk: Buffer) => (body += chunk.toString()))
    req.on('end', () => {
      for (const { scopeSpans } of JSON.parse(body).resourceSpans)
        for (const scope of scopeSpans) spans.push(...scope.spans)
      res.end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo
  kre = await createKre({ KRE_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
  await kre.json('dev', '--detach', '--no-example')
  const bundle = join(kre.dataDir, '..', 'hello')
  await kre.json('krt', 'init', bundle, '--template', 'typescript')
  const handler = join(bundle, 'src/greet.ts')
  const code = await readFile(handler, 'utf8')
  await writeFile(handler, code.replaceAll('Hello', '${ctx.trace}'))
  await kre.json('runtime', 'create', 'mine')
  await kre.json('version', 'create', '-r', 'mine', bundle)
  await kre.json('version', 'start', '-r', 'mine', 'hello-v1')
  await kre.json('version', 'publish', '-r', 'mine', 'hello-v1')
  const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
    'runtime',
    'show',
    'mine',
  )
  client = await connectForeign(entrypointAddress, 'hello.Entrypoint', 'Greet')
})
afterAll(async () => {
  client?.[Symbol.dispose]()
  await kre?.[Symbol.asyncDispose]()
  receiver?.close()
  receiver?.closeAllConnections()
})

async function metricsUrl(): Promise<string> {
  const { addresses } = await kre.json<Status>('status')
  return `http://${addresses.find(({ name }) => name === 'admin API')?.address}/metrics`
}

async function scrape(): Promise<{ status: number; lines: string[] }> {
  const token = (await readFile(join(kre.dataDir, 'token'), 'utf8')).trim()
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(await metricsUrl(), { headers })
  return { status: response.status, lines: (await response.text()).split('\n') }
}

describe('tracing', () => {
  test('draws the way of a request that its caller traces, from the caller to the handler', async () => {
    const answer = (await client.call(
      { name: 'Ada' },
      { traceparent: `00-${TRACE}-${CALLER_SPAN}-01`, tracestate: 'vendor=1' },
    )) as { greeting: string }
    const seen = /00-([0-9a-f]{32})-([0-9a-f]{16})-01/.exec(answer.greeting)
    expect(seen?.[1]).toBe(TRACE)
    const trace = await waitUntil('the spans of the request', () =>
      spans.filter(({ traceId }) => traceId === TRACE).length >= 9
        ? spans.filter(({ traceId }) => traceId === TRACE)
        : null,
    )
    const named = (name: string) => trace.find((span) => span.name === name)
    const entry = named('/hello.Entrypoint/Greet')
    const first = named('node clean')
    const node = named('node greet')
    expect(entry?.parentSpanId).toBe(CALLER_SPAN)
    expect(first?.parentSpanId).toBe(entry?.spanId)
    expect(node?.parentSpanId).toBe(first?.spanId)
    // What the handler calls belongs to the node's span.
    expect(seen?.[2]).toBe(node?.spanId)
    const parts = trace.filter(({ parentSpanId }) => parentSpanId === node?.spanId)
    expect(parts.map(({ name }) => name)).toEqual(['transport', 'queue', 'handler'])
    for (const { startTimeUnixNano, endTimeUnixNano } of trace)
      expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano))
  })

  test('leaves requests alone whose callers do not ask, or ask in a way that is none', async () => {
    const before = spans.length
    for (const traceparent of [`00-${TRACE}-${CALLER_SPAN}-00`, 'nonsense'])
      await client.call({ name: 'Ada' }, { traceparent })
    await client.call({ name: 'Ada' })
    // A traced one comes after them: what they had would be there by then.
    await client.call({ name: 'last' }, { traceparent: `00-${'c'.repeat(32)}-${CALLER_SPAN}-01` })
    await waitUntil('the spans of the last request', () => spans.length >= before + 9)
    expect(new Set(spans.slice(before).map(({ traceId }) => traceId))).toEqual(
      new Set(['c'.repeat(32)]),
    )
  })
})

describe('/metrics', () => {
  test('counts requests and what they cost besides their handlers, by bounded labels', async () => {
    const labels = 'runtime="mine",version="hello-v1",workflow="'
    const lines = await waitUntil(
      'the reports of all processes',
      async () => {
        const { lines: found } = await scrape()
        const has = (start: string) => found.some((line) => line.startsWith(start))
        return has(`kre_requests_total{${labels}`) && has(`kre_node_calls_total{${labels}`)
          ? found
          : null
      },
      { everyMs: 250 },
    )
    const value = (start: string) =>
      Number(
        lines
          .find((line) => line.startsWith(start))
          ?.split(' ')
          .at(-1),
      )
    const requests = value(`kre_requests_total{${labels}`)
    expect(requests).toBeGreaterThanOrEqual(1)
    expect(value(`kre_request_overhead_seconds_count{${labels}`)).toBe(requests)
    const overhead = value(`kre_request_overhead_seconds_sum{${labels}`)
    const duration = value(`kre_request_duration_seconds_sum{${labels}`)
    expect(overhead).toBeGreaterThan(0)
    expect(overhead).toBeLessThanOrEqual(duration)
    expect(lines.join('\n')).toMatch(/kre_requests_total\{.*status="OK"\} \d+/)
    for (const line of lines)
      expect(line).toMatch(/^(#.*|[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [-+.\deInfNa]+|)$/)
  })

  test('is for those who may see the engine, and nobody else', async () => {
    expect((await fetch(await metricsUrl())).status).toBe(401)
    expect((await scrape()).status).toBe(200)
  })
})
