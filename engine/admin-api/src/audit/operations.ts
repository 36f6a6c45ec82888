import type { Store } from '@kre/store'
import type { ActivityType } from './activity-types.ts'
import type { ActivityVar } from './audit-record.ts'

/** What the caller sent, by name: the input of a mutation, or path and query of a route. */
export type Input = Readonly<Record<string, unknown>>
/** What it is done to, found in the store before it is done. */
export type Target = {
  readonly runtimeId: string | null
  readonly versionName: string | null
  readonly versionId: string | null
}
/** What an operation's row of activities is made of. `before` and `after` are null unless it succeeded. */
export type Performed = {
  readonly input: Input
  readonly target: Target
  readonly before: Input | null
  readonly after: Input | null
}
export type StateDeps = Pick<Store, 'runtimes' | 'versions' | 'releases' | 'config' | 'identity'>

/** How an operation is written down. */
export type AuditedOperation = {
  readonly type: ActivityType
  /** It changes nothing of the engine by itself: only a refusal is worth a record. */
  readonly onlyRefusals?: true
  /** Fields of the input that are kept as they are. What is not named here is not kept: a new field is no leak. */
  readonly keep: readonly string[]
  /** Where the input names the runtime; default `runtimeId`. */
  readonly runtimeIdAt?: string
  /** What is kept of fields that hold secrets: never the values. */
  readonly conceal?: (input: Input) => Input
  /** What the operation changes, read before and after it. */
  readonly state?: (deps: StateDeps, target: Target, input: Input) => Promise<Input>
  /** KRE's variables, one list per row of the activity list; at least one. */
  readonly rows: (performed: Performed) => ActivityVar[][]
}

/** What an operation without a row is written down as: that it was called, and nothing of its input. */
export const WITHOUT_ROW: AuditedOperation = { type: 'OTHER', keep: [], rows: () => [[]] }

/** Variables in KRE's words; those without a value are left out. */
export function vars(values: Readonly<Record<string, unknown>>): ActivityVar[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === null || value === undefined || value === '') return []
    return [{ key, value: typeof value === 'string' ? value : textOf(value) }]
  })
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(',') : JSON.stringify(value)
}

/** `<set>` or `<unset>` per key of `[{ key, value }]`. */
export function concealValues(list: unknown): Record<string, string> {
  const entries = Array.isArray(list) ? (list as unknown[]) : []
  const concealed = entries.flatMap((entry): [string, string][] => {
    if (typeof entry !== 'object' || entry === null) return []
    const { key, value } = entry as { key?: unknown; value?: unknown }
    return [[String(key), value === '' ? '<unset>' : '<set>']]
  })
  return Object.fromEntries(concealed)
}
