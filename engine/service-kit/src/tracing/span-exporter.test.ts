import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { createSpanExporter, SPAN_KIND, type Span } from './span-exporter.ts'

const SPAN: Span = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: null,
  name: 'node a',
  kind: SPAN_KIND.consumer,
  startUnixMs: 1_700_000_000_000.25,
  endUnixMs: 1_700_000_000_001.5,
  attributes: { 'kre.node': 'a', 'kre.attempt': 1 },
  error: 'it failed',
}

async function receive(status: number) {
  const bodies: unknown[] = []
  const server = createServer((req, res) => {
    let body = ''
    req.on('data', (chunk: Buffer) => (body += chunk.toString()))
    req.on('end', () => {
      bodies.push({ path: req.url, type: req.headers['content-type'], ...JSON.parse(body) })
      res.writeHead(status).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}/`,
    bodies,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

describe('createSpanExporter', () => {
  test('sends spans in the form of OTLP/HTTP JSON', async () => {
    await using receiver = await receive(200)
    const exporter = createSpanExporter(receiver.endpoint, { 'service.name': 'kre-node' })
    exporter.add(SPAN)
    await exporter.close(5_000)
    expect(receiver.bodies).toEqual([
      {
        path: '/v1/traces',
        type: 'application/json',
        resourceSpans: [
          {
            resource: {
              attributes: [{ key: 'service.name', value: { stringValue: 'kre-node' } }],
            },
            scopeSpans: [
              {
                scope: { name: 'kre' },
                spans: [
                  {
                    traceId: SPAN.traceId,
                    spanId: SPAN.spanId,
                    name: 'node a',
                    kind: 5,
                    startTimeUnixNano: '1700000000000250000',
                    endTimeUnixNano: '1700000000001500000',
                    attributes: [
                      { key: 'kre.node', value: { stringValue: 'a' } },
                      { key: 'kre.attempt', value: { intValue: '1' } },
                    ],
                    status: { code: 2, message: 'it failed' },
                  },
                ],
              },
            ],
          },
        ],
      },
    ])
    expect(exporter.dropped()).toBe(0)
  })

  test('drops and counts what a receiver refuses, or is not there for', async () => {
    await using receiver = await receive(503)
    const refused = createSpanExporter(receiver.endpoint, {})
    refused.add(SPAN)
    await refused.close(5_000)
    expect(refused.dropped()).toBe(1)
    const away = createSpanExporter('http://127.0.0.1:1', {})
    away.add(SPAN)
    await away.close(5_000)
    expect(away.dropped()).toBe(1)
  })

  test('keeps so many spans and no more', async () => {
    const exporter = createSpanExporter('http://127.0.0.1:1', {})
    for (let i = 0; i < 4_100; i++) exporter.add(SPAN)
    expect(exporter.dropped()).toBe(4)
    await exporter.close(5_000)
  })
})
