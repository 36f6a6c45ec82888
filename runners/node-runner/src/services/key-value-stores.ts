/** `ctx.configuration`: key-value buckets of three scopes. */
import { z } from 'zod'
import { KreError, type NodeLaunch } from '@kre/contracts/runtime'
import type { Inbox } from '@kre/core-nats'
import { createStreamStore, type StreamStore } from './stream-store.ts'

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

/** How the client libraries of NATS mark a value that was deleted. */
const DELETED = { 'KV-Operation': 'DEL' }
const IS_DELETED = /^KV-Operation:\s*(?:DEL|PURGE)\s*$/im

export function createKeyValueStores(launch: NodeLaunch, inbox: Inbox): KeyValueStores {
  const use = async <T>(
    scope: Scope,
    key: string,
    operation: (store: StreamStore, subject: string) => Promise<T>,
  ): Promise<T> => {
    const bucket = launch.keyValueBuckets[scope]
    try {
      return await operation(createStreamStore(`KV_${bucket}`, inbox), `$KV.${bucket}.${key}`)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const text = `the configuration of scope "${scope}" (bucket ${bucket}) can't be used: ${why}`
      throw new KreError('unavailable', text, { bucket }, { cause: error })
    }
  }
  const read = async (scope: Scope, key: string): Promise<string | null> => {
    const entry = await use(scope, key, (store, subject) => store.get(subject))
    if (entry === null || IS_DELETED.test(entry.headers)) return null
    return Buffer.from(entry.data).toString('utf8')
  }

  return {
    async set({ key, value, scope }) {
      await use(scope ?? 'node', key, (store, subject) => store.put(subject, value))
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
      await use(scope ?? 'node', key, (store, subject) => store.put(subject, '', DELETED))
    },
  }
}
