/** `ctx.objectStore`: one bucket of the node's choice, by its manifest. */
import { z } from 'zod'
import { KreError, type NodeLaunch } from '@kre/contracts/runtime'
import type { Inbox } from '@kre/core-nats'
import { keyTest, type KeyFilter } from './key-filter.ts'
import { openObjectChunks, type ObjectChunks } from './object-chunks.ts'

export const ObjectKey = z.object({ key: z.string().min(1, 'the key must not be empty') })

export type ObjectBucket = {
  save(key: string, data: Uint8Array): Promise<void>
  get(key: string): Promise<Uint8Array>
  list(filter: KeyFilter): Promise<string[]>
  delete(key: string): Promise<void>
  purge(filter: KeyFilter): Promise<number>
}

/** @param maxPayload of the server, in bytes. */
export function createObjectBucket(
  launch: NodeLaunch,
  inbox: Inbox,
  maxPayload: () => number,
): ObjectBucket {
  const store = (): ObjectChunks => {
    const { objectBucket, nodeName } = launch
    if (objectBucket !== null) return openObjectChunks(objectBucket, inbox, maxPayload())
    const text = `node '${nodeName}' has no object store: declare objectStore in its entry of the manifest`
    throw new KreError('failed-precondition', text)
  }
  const keys = async (filter: KeyFilter): Promise<string[]> => {
    const matches = keyTest(filter)
    return (await store().names()).filter(matches).sort()
  }

  return {
    async save(key, data) {
      await store().write(key, data)
    },
    async get(key) {
      const found = await store().read(key)
      if (found === null) throw missing(key)
      return found
    },
    list: keys,
    async delete(key) {
      if (!(await store().remove(key))) throw missing(key)
    },
    async purge(filter) {
      const found = await keys(filter)
      for (const key of found) await store().remove(key)
      return found.length
    },
  }
}

function missing(key: string): KreError {
  return new KreError('not-found', `no object "${key}" in the object store`, { key })
}
