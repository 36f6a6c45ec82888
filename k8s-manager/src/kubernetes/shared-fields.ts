/**
 * Who owns which field of an object, kept once for all objects of which the same is said. The API server sends some 4 KB
 * of it with each Deployment, three times as much in memory; of a thousand Deployments a handful differ.
 */
import type { V1ManagedFieldsEntry } from '@kubernetes/client-node'
import { FIELD_MANAGER } from './manifests/identity.ts'

type Entries = readonly V1ManagedFieldsEntry[]
/** @returns entries of which `lostFields` says the same; the very same list for those that are equal. */
export type ShareFields = (entries: Entries) => V1ManagedFieldsEntry[]

/** Stands for all entries of others. */
const THEIRS: V1ManagedFieldsEntry = Object.freeze({ manager: 'others' })

export function createSharedFields(): ShareFields {
  const known = new Map<string, WeakRef<V1ManagedFieldsEntry[]>>()
  // What no object has any more is not kept for its text.
  const unused = new FinalizationRegistry<string>((text) => {
    if (known.get(text)?.deref() === undefined) known.delete(text)
  })
  return (entries) => {
    const lean = leanFields(entries)
    const text = JSON.stringify(lean)
    const shared = known.get(text)?.deref()
    if (shared !== undefined) return shared
    known.set(text, new WeakRef(lean))
    unused.register(lean, text)
    return lean
  }
}

/** Pure. What `lostFields` reads: our own fields of labels and spec, and that others have some. */
export function leanFields(entries: Entries): V1ManagedFieldsEntry[] {
  const own = entries.filter(
    ({ manager, subresource }) => manager === FIELD_MANAGER && (subresource ?? '') === '',
  )
  const lean = own.map(({ manager, operation, fieldsV1 }) => ({
    ...(manager === undefined ? {} : { manager }),
    ...(operation === undefined ? {} : { operation }),
    ...(fieldsV1 === undefined ? {} : { fieldsV1: comparedFields(fieldsV1) }),
  }))
  return own.length === entries.length ? lean : [...lean, THEIRS]
}

/** The rest has in it who owns the object, and so differs between versions. */
function comparedFields(fields: object): object {
  const { 'f:metadata': metadata, 'f:spec': spec } = fields as Record<string, object | undefined>
  const labels = (metadata as Record<string, object> | undefined)?.['f:labels']
  return {
    ...(labels === undefined ? {} : { 'f:metadata': { 'f:labels': labels } }),
    ...(spec === undefined ? {} : { 'f:spec': spec }),
  }
}
