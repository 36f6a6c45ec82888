import type { Plan, Settings, Step } from './plan-apply.ts'

type Mark = '+' | '~' | '-'

/** The plan as a diff: what is made, changed and removed, and what stays as it is. */
export function describePlan({ steps, left }: Plan): string {
  const lines = steps.map((step) => `${markOf(step)} ${describeStep(step)}`)
  const kept = left.map((name) => `= ${name}`)
  const count = (mark: Mark) => steps.filter((step) => markOf(step) === mark).length
  const summary =
    steps.length === 0
      ? 'Nothing to do.'
      : `${count('+')} to make, ${count('~')} to change, ${count('-')} to remove, ${left.length} as they are.`
  return [...lines, ...kept, '', summary].join('\n').trimStart()
}

export function markOf({ kind }: Step): Mark {
  switch (kind) {
    case 'create-runtime':
    case 'create-version':
    case 'create-user':
      return '+'
    case 'delete-runtime':
    case 'delete-version':
    case 'remove-user':
      return '-'
    case 'update-settings':
    case 'update-runtime':
    case 'set-log-limits':
    case 'configure':
    case 'start':
    case 'restart':
    case 'publish':
    case 'unpublish':
    case 'stop':
    case 'set-level':
    case 'set-grants':
      return '~'
  }
}

/** One step in words. Of the configuration it names keys, never values. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'update-settings':
      return `settings: ${settingsText(step.change)}`
    case 'create-runtime':
      return `runtime ${step.runtime}: create`
    case 'update-runtime':
      return `runtime ${step.runtime}: change ${[step.name === undefined ? [] : 'its name', step.description === undefined ? [] : 'its description'].flat().join(' and ')}`
    case 'set-log-limits':
      return `runtime ${step.runtime}: keep ${step.log.days ?? 'any number of'} days and ${step.log.bytesMax ?? 'any number of'} bytes of its log`
    case 'delete-runtime':
      return `runtime ${step.runtime}: delete with all its data`
    case 'create-version':
      return `version ${step.runtime}/${step.version}: upload`
    case 'configure':
      return `version ${step.runtime}/${step.version}: set ${step.keys.join(', ')}`
    case 'delete-version':
      return `version ${step.runtime}/${step.version}: delete`
    case 'start':
    case 'restart':
    case 'publish':
    case 'unpublish':
    case 'stop':
      return `version ${step.runtime}/${step.version}: ${step.kind}`
    case 'create-user':
      return `user ${step.email}: let in${step.level === null ? '' : ` as ${step.level}`}${grantsText(step.grants)}`
    case 'set-level':
      return `user ${step.email}: level ${step.level ?? 'NONE'}`
    case 'set-grants':
      return `user ${step.email}: grants${grantsText(step.grants) || ' none'}`
    case 'remove-user':
      return `user ${step.email}: remove`
  }
}

function settingsText({
  authAllowedDomains: domains,
  sessionLifetimeInDays: days,
}: Partial<Settings>) {
  return [
    domains === undefined ? [] : `authAllowedDomains = ${domains.join(' ') || 'none'}`,
    days === undefined ? [] : `sessionLifetimeInDays = ${days}`,
  ]
    .flat()
    .join(', ')
}

function grantsText(grants: Readonly<Record<string, string>>): string {
  return Object.entries(grants)
    .map(([runtime, level]) => ` ${runtime}=${level}`)
    .join('')
}
