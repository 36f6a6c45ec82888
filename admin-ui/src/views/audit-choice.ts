/** Which part of the audit log is wanted, as it stands in the address of the page. Pure. */
import type { ActivitiesVariables, UserActivityType } from '../gen/documents.ts'
import type { AuditPlace } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import type { Zone } from '../ui/moment.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { zonedDay } from '../ui/zoned-time.ts'

/** Empty = any. */
export type AuditChoice = {
  readonly who: string
  readonly type: UserActivityType | ''
  readonly runtime: string
  /** `Version.id`, also of one that is gone. */
  readonly version: string
  /** Days, as `2026-01-31`. */
  readonly from: string
  readonly to: string
}

/** What is no kind, or no day, is as if it were not there. */
export function readAuditChoice(search: URLSearchParams): AuditChoice {
  const textOf = (name: keyof AuditPlace): string => search.get(name) ?? ''
  const dayOf = (name: keyof AuditPlace): string =>
    zonedDay(textOf(name), 'UTC') === '' ? '' : textOf(name)
  const type = textOf('type')
  return {
    who: textOf('who'),
    type: Object.hasOwn(t.audit.types, type) ? (type as UserActivityType) : '',
    runtime: textOf('runtime'),
    version: textOf('version'),
    from: dayOf('from'),
    to: dayOf('to'),
  }
}

/** The same for the address: what is not chosen is left out. */
export function toAuditPlace(choice: AuditChoice): AuditPlace {
  return Object.fromEntries(Object.entries(choice).filter(([, value]) => value !== ''))
}

/** @param in_ the zone that days are of. */
export function toActivityFilters(choice: AuditChoice, in_: Zone): ActivitiesVariables {
  const { who, type, runtime, version, from, to } = choice
  return {
    ...(who === '' ? {} : { userEmail: who }),
    ...(type === '' ? {} : { types: [type] }),
    ...(runtime === '' ? {} : { runtimeIds: [runtime] }),
    ...(version === '' ? {} : { versionIds: [version] }),
    ...(from === '' ? {} : { fromDate: zonedDay(from, in_) }),
    ...(to === '' ? {} : { toDate: zonedDay(to, in_) }),
  }
}

/** The command that lists the same. @param versionWord a name that the runtime knows, or the id. */
export function auditCommand(choice: AuditChoice, versionWord: string, in_: Zone): string {
  const { fromDate = '', toDate = '' } = toActivityFilters(choice, in_)
  const options = [
    ['--user', choice.who],
    ['--type', choice.type],
    ['-r', choice.runtime],
    ['--version', choice.version === '' ? '' : versionWord],
    ['--from', fromDate ?? ''],
    ['--to', toDate ?? ''],
  ] as const
  return [
    'krectl audit list',
    ...options.flatMap(([name, value]) => (value === '' ? [] : [`${name} ${shellWord(value)}`])),
  ].join(' ')
}
