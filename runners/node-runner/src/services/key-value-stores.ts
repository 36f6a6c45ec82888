/** `ctx.configuration`: key-value buckets of three scopes. */
import type { KV } from '@nats-io/kv'
import { z } from 'zod'
import { KreError, type NodeLaunch } from '@kre/contracts/runtime'
import type { StockConnection } from './stock-connection.ts'

const SCOPES = ['node', 'workflow', 'project'] as const
const Scope = z.enum(SCOPES)
type Scope = z.infer<typeof Scope>
const LEGAL_KEY = /^[-/_=.a-zA-Z0-9]+$/

const Key = z
  .string()
  .regex(LEGAL_KEY, 'a key has letters, digits and - / _ = . only')
  .refine((key) => !key.startsWith('.') && !key.endsWith('.') && !key.includes('..'), {
    error: 'a key has no "." at its ends and no two in a row',
  })
export const SetArguments = z.object({
  key: Key,
  value: z.string({ error: 'the value must be a string' }),
  scope: Scope.nullish(),
})
export const GetArguments = z.object({ key: Key, scope: Scope.nullish() })

export type KeyValueStores = {
  set(args: z.infer<typeof SetArguments>): Promise<void>
  get(args: z.infer<typeof GetArguments>): Promise<string>
  delete(args: z.infer<typeof GetArguments>): Promise<void>
}

/** Opened when first used: most nodes never do. */
export function createKeyValueStores(launch: NodeLaunch, stock: StockConnection): KeyValueStores {
  const opened = new Map<Scope, Promise<KV>>()
  const open = (scope: Scope): Promise<KV> => {
    const known = opened.get(scope)
    if (known !== undefined) return known
    const bucket = openBucket(stock, launch.keyValueBuckets[scope])
    opened.set(scope, bucket)
    bucket.catch(() => opened.delete(scope)) // tried again on the next use; the caller has the error
    return bucket
  }
  const use = async <T>(scope: Scope, operation: (bucket: KV) => Promise<T>): Promise<T> => {
    try {
      return await operation(await open(scope))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const bucket = launch.keyValueBuckets[scope]
      const text = `the configuration of scope "${scope}" (bucket ${bucket}) can't be used: ${why}`
      throw new KreError('unavailable', text, { bucket }, { cause: error })
    }
  }
  const read = async (scope: Scope, key: string): Promise<string | null> => {
    const entry = await use(scope, (bucket) => bucket.get(key))
    return entry === null || entry.operation !== 'PUT' ? null : entry.string()
  }

  return {
    async set({ key, value, scope }) {
      await use(scope ?? 'node', (bucket) => bucket.put(key, value))
    },
    async get({ key, scope }) {
      for (const place of scope === undefined || scope === null ? SCOPES : [scope]) {
        const value = await read(place, key)
        if (value !== null) return value
      }
      const where = scope === undefined || scope === null ? 'any scope' : `scope "${scope}"`
      throw new KreError('not-found', `No value found for key "${key}" in ${where}`, { key })
    },
    async delete({ key, scope }) {
      await use(scope ?? 'node', (bucket) => bucket.delete(key))
    },
  }
}

async function openBucket(stock: StockConnection, bucket: string): Promise<KV> {
  const { Kvm } = await import('@nats-io/kv')
  return new Kvm(await stock.get()).open(bucket)
}
