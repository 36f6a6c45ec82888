import { request, type IncomingMessage } from 'node:http'
import { waitUntil } from '@kre/service-kit'
import type { GraphqlAnswer } from './start-test-api.ts'

/** An open subscription and what it has told so far. */
export type EventStream = {
  status: number
  events: GraphqlAnswer[]
  isEnded: () => boolean
  /** Waits until `count` events are there. */
  received(count: number): Promise<GraphqlAnswer[]>
  close(): void
}

/** Opens a subscription; resolves when its answer has begun. */
export async function openEventStream(
  url: string,
  headers: Record<string, string>,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<EventStream> {
  const req = request(new URL('/graphql', url), {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'text/event-stream' },
  })
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    req.on('response', resolve)
    req.on('error', reject)
  })
  req.end(JSON.stringify({ query, variables }))
  const res = await response
  const events: GraphqlAnswer[] = []
  let text = ''
  let ended = false
  res.setEncoding('utf8')
  res.on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const data = /^data: (.+)$/m.exec(part)?.[1]
      if (data !== undefined) events.push(JSON.parse(data) as GraphqlAnswer)
    }
  })
  // Cutting the stream is how these tests leave it.
  res.on('error', () => undefined)
  res.on('close', () => {
    ended = true
  })
  return {
    status: res.statusCode ?? 0,
    events,
    isEnded: () => ended,
    async received(count) {
      await waitUntil(`${count} events`, () => events.length >= count)
      return events
    },
    close: () => void req.destroy(),
  }
}
