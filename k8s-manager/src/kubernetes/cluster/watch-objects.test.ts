/** Against a scripted server: what a real one does only when it is hurt. */
import { describe, expect, test } from '@jest/globals'
import { createLogger, waitUntil } from '@kre/service-kit'
import type { ClusterObject } from './kinds.ts'
import type { Answer, Cluster } from './open-cluster.ts'
import { watchObjects } from './watch-objects.ts'

type Turn = Answer | readonly object[] | Error

/** Answers lists and watches in turn; after the last one a watch stays open. */
function scripted(turns: { lists: (Answer | Error)[]; watches: Turn[] }) {
  const asked: string[] = []
  const cluster: Pick<Cluster, 'request' | 'stream'> = {
    async request({ path }) {
      asked.push(path)
      const next = turns.lists.shift() ?? new Error('no more lists')
      if (next instanceof Error) throw next
      return next
    },
    async stream(path, signal) {
      asked.push(path)
      const next = turns.watches.shift()
      if (next instanceof Error) throw next
      if (next !== undefined && 'status' in next) return next
      return events(next ?? [], next === undefined ? signal : null)
    },
  }
  return { cluster, asked }
}

async function* events(all: readonly object[], until: AbortSignal | null): AsyncGenerator<string> {
  for (const event of all) yield typeof event === 'string' ? event : JSON.stringify(event)
  if (until !== null) await new Promise((resolve) => until.addEventListener('abort', resolve))
}

function list(version: string, ...items: object[]): Answer {
  return { status: 200, body: JSON.stringify({ metadata: { resourceVersion: version }, items }) }
}

function object(name: string, resourceVersion: string, uid = name): ClusterObject {
  return { metadata: { name, resourceVersion, uid } }
}

function watching(turns: Parameters<typeof scripted>[0]) {
  const { cluster, asked } = scripted(turns)
  const ended = new AbortController()
  const changes: string[] = []
  const objects = watchObjects<ClusterObject>(
    'Pod',
    {
      cluster,
      namespace: 'ns',
      selector: 'a=b',
      logger: createLogger('test', { level: 'silent' }),
      signal: ended.signal,
    },
    (before, now) =>
      changes.push(
        `${before?.metadata?.resourceVersion ?? '-'}>${now?.metadata?.resourceVersion ?? '-'}`,
      ),
  )
  const names = () => [...objects.values()].map(({ metadata }) => metadata?.name)
  return { objects, asked, changes, names, [Symbol.dispose]: () => ended.abort() }
}

describe('watched objects', () => {
  test('are those of the list, and what happened after it', async () => {
    using seen = watching({
      lists: [list('5', object('a', '1'), object('b', '2'))],
      watches: [
        [
          { type: 'MODIFIED', object: object('a', '6') },
          { type: 'DELETED', object: object('b', '7') },
          { type: 'ADDED', object: object('c', '8') },
          { type: 'BOOKMARK', object: { metadata: { resourceVersion: '20' } } },
        ],
      ],
    })
    await waitUntil('all events', () => seen.changes.length === 5)
    expect(seen.names()).toEqual(['a', 'c'])
    expect(seen.changes).toEqual(['->1', '->2', '1>6', '2>-', '->8'])
    await waitUntil('the next watch', () => seen.asked.length === 3)
    expect(seen.asked[2]).toContain('resourceVersion=20')
  })

  test('are listed page by page', async () => {
    const page = JSON.parse(list('5', object('a', '1')).body) as object
    const first = { ...page, metadata: { resourceVersion: '5', continue: 'more' } }
    using seen = watching({
      lists: [{ status: 200, body: JSON.stringify(first) }, list('5', object('b', '2'))],
      watches: [],
    })
    await seen.objects.whenAnswered()
    expect(seen.names()).toEqual(['a', 'b'])
    expect(seen.asked[1]).toContain('continue=more')
  })

  test.each<[string, Turn]>([
    ['an answer', { status: 410, body: '{"code":410}' }],
    ['an event', [{ type: 'ERROR', object: { code: 410, message: 'too old resource version' } }]],
  ])('are listed again when %s says that their version is too old', async (_name, turn) => {
    using seen = watching({
      lists: [list('5', object('a', '1')), list('9', object('b', '8'))],
      watches: [turn],
    })
    await waitUntil('the second list', () => seen.names().includes('b'))
    expect(seen.names()).toEqual(['b'])
    expect(seen.changes).toEqual(['->1', '1>-', '->8'])
  })

  test('are watched on from where a broken connection ended, without another list', async () => {
    using seen = watching({
      lists: [list('5', object('a', '1'))],
      watches: [
        ['{"type":"ADDED","object":{"metad' as unknown as object],
        [{ type: 'ADDED', object: object('b', '6') }],
      ],
    })
    await waitUntil('b', () => seen.names().includes('b'))
    expect(seen.objects.problem()).toBeNull()
  })

  test('say what is in the way, and are right again when it is gone', async () => {
    using seen = watching({
      lists: [
        {
          status: 403,
          body: '{"message":"pods is forbidden: User \\"u\\" cannot list resource \\"pods\\""}',
        },
        list('5', object('a', '1')),
      ],
      watches: [],
    })
    await seen.objects.whenAnswered()
    expect(seen.objects.problem()?.message).toContain('resources: ["pods"], verbs: ["list"]')
    await waitUntil('no problem', () => seen.objects.problem() === null)
    expect(seen.names()).toEqual(['a'])
  })

  test('never go back to an older version of one that a request has answered', async () => {
    using seen = watching({
      lists: [list('5', object('a', '1'))],
      watches: [],
    })
    await seen.objects.whenAnswered()
    seen.objects.put(object('a', '10'))
    seen.objects.put(object('a', '9'))
    expect(seen.objects.get('a')?.metadata?.resourceVersion).toBe('10')
    seen.objects.put(object('a', '3', 'another'))
    expect(seen.objects.get('a')?.metadata?.uid).toBe('another')
  })
})
