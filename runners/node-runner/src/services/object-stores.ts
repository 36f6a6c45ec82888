/** `ctx.objectStore`: one bucket of the node's choice, by its manifest. */
import type { ObjectStore } from '@nats-io/obj'
import { z } from 'zod'
import { KreError, type NodeLaunch } from '@kre/contracts/runtime'
import { keyTest, type KeyFilter } from './key-filter.ts'
import type { StockConnection } from './stock-connection.ts'

export const ObjectKey = z.object({ key: z.string().min(1, 'the key must not be empty') })

export type ObjectBucket = {
  save(key: string, data: Uint8Array): Promise<void>
  get(key: string): Promise<Uint8Array>
  list(filter: KeyFilter): Promise<string[]>
  delete(key: string): Promise<void>
  purge(filter: KeyFilter): Promise<number>
}

/** Opened when first used: most nodes never do. */
export function createObjectBucket(launch: NodeLaunch, stock: StockConnection): ObjectBucket {
  let opened: Promise<ObjectStore> | null = null
  const store = async (): Promise<ObjectStore> => {
    const { objectBucket, nodeName } = launch
    if (objectBucket === null) {
      const text = `node '${nodeName}' has no object store: declare objectStore in its entry of the manifest`
      throw new KreError('failed-precondition', text)
    }
    opened ??= openBucket(stock, objectBucket)
    try {
      return await opened
    } catch (error) {
      opened = null
      throw error
    }
  }
  const keys = async (filter: KeyFilter): Promise<string[]> => {
    const matches = keyTest(filter)
    const objects = await (await store()).list()
    return objects
      .filter(({ name, deleted }) => !deleted && matches(name))
      .map(({ name }) => name)
      .sort()
  }

  return {
    async save(key, data) {
      await (await store()).put({ name: key }, oneChunk(data))
    },
    async get(key) {
      const found = await (await store()).get(key)
      if (found === null) throw missing(key)
      const chunks: Uint8Array[] = []
      const reader = found.data.getReader()
      for (let read = await reader.read(); !read.done; read = await reader.read())
        chunks.push(read.value)
      const failure = await found.error
      if (failure instanceof Error) throw failure
      return new Uint8Array(Buffer.concat(chunks))
    },
    list: keys,
    async delete(key) {
      const { success } = await (await store()).delete(key)
      if (!success) throw missing(key)
    },
    async purge(filter) {
      const found = await keys(filter)
      for (const key of found) await (await store()).delete(key)
      return found.length
    },
  }
}

async function openBucket(stock: StockConnection, bucket: string): Promise<ObjectStore> {
  const { Objm } = await import('@nats-io/obj')
  try {
    return await new Objm(await stock.get()).open(bucket)
  } catch (error) {
    const text = `the object bucket "${bucket}" can't be opened`
    throw new KreError('unavailable', text, { bucket }, { cause: error })
  }
}

function oneChunk(data: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(data)
      controller.close()
    },
  })
}

function missing(key: string): KreError {
  return new KreError('not-found', `no object "${key}" in the object store`, { key })
}
