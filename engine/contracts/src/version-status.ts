/** Statuses of versions and nodes: derived from intent and observation, never stored, never assigned. */
export const VERSION_STATUSES = [
  'CREATING',
  'CREATED',
  'STARTING',
  'STARTED',
  'PUBLISHED',
  'STOPPING',
  'STOPPED',
  'ERROR',
] as const
export type VersionStatus = (typeof VERSION_STATUSES)[number]

export const NODE_STATUSES = ['STARTING', 'STARTED', 'STOPPED', 'ERROR'] as const
export type NodeStatus = (typeof NODE_STATUSES)[number]

export const VERSION_OPERATIONS = [
  'start',
  'restart',
  'stop',
  'publish',
  'unpublish',
  'delete',
] as const
export type VersionOperation = (typeof VERSION_OPERATIONS)[number]

type Transition = {
  readonly from: readonly VersionStatus[]
  readonly to: VersionStatus | null
  readonly refusal: string
}

/** The life cycle as data, shared by the API, the CLI and the UI. `refusal` is KRE's own message. */
export const VERSION_TRANSITIONS: Readonly<Record<VersionOperation, Transition>> = {
  start: {
    from: ['CREATED', 'STOPPED', 'ERROR'],
    to: 'STARTED',
    refusal: 'the version must be stopped before starting',
  },
  restart: {
    from: ['ERROR'],
    to: 'STARTED',
    refusal: 'the version must be in error before restarting',
  },
  stop: {
    from: ['STARTED', 'STARTING', 'ERROR'],
    to: 'STOPPED',
    refusal: 'the version must be started before stopping',
  },
  publish: {
    from: ['STARTED'],
    to: 'PUBLISHED',
    refusal: 'the version must be started before publishing',
  },
  unpublish: {
    from: ['PUBLISHED'],
    to: 'STARTED',
    refusal: 'the version must be published before unpublishing',
  },
  delete: {
    from: ['CREATED', 'STOPPED', 'ERROR'],
    to: null,
    refusal: 'the version must be stopped before deleting',
  },
}

/** Whether `operation` is allowed in `status`; the UI hides what this refuses. */
export function isAllowed(operation: VersionOperation, status: VersionStatus): boolean {
  return VERSION_TRANSITIONS[operation].from.includes(status)
}
