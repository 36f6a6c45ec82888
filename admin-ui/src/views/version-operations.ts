/** What can be done with a version, by the engine's own table of transitions. Pure. */
import { isAllowed, VERSION_OPERATIONS, type VersionOperation } from '@kre/contracts/version-status'
import type { TypedDocument, VersionStatus } from '../gen/documents.ts'
import {
  DeleteVersion,
  PublishVersion,
  RestartVersion,
  StartVersion,
  StopVersion,
  UnpublishVersion,
} from '../gen/documents.ts'
import { shellWord } from '../ui/shell-word.ts'

export type OperationInput = { runtimeId: string; versionName: string; comment: string }

export const OPERATION_DOCUMENTS: Readonly<
  Record<VersionOperation, TypedDocument<unknown, { input: OperationInput }>>
> = {
  start: StartVersion,
  restart: RestartVersion,
  stop: StopVersion,
  publish: PublishVersion,
  unpublish: UnpublishVersion,
  delete: DeleteVersion,
}

/** What people most likely want next; null = nothing stands out. */
const NEXT: Readonly<Record<VersionStatus, VersionOperation | null>> = {
  CREATING: null,
  CREATED: 'start',
  STARTING: null,
  STARTED: 'publish',
  PUBLISHED: null,
  STOPPING: null,
  STOPPED: 'start',
  ERROR: 'restart',
}

/** The next step first, then the others in the order of a version's life. */
export function operationsOf(status: VersionStatus): {
  next: VersionOperation | null
  others: readonly VersionOperation[]
} {
  const next = NEXT[status]
  // A version in error is started anew by one word; two that do the same would be a riddle.
  const others = VERSION_OPERATIONS.filter(
    (operation) =>
      isAllowed(operation, status) &&
      operation !== next &&
      !(operation === 'start' && status === 'ERROR'),
  )
  return { next, others }
}

/** The same by the command line. */
export function cliTwin(operation: VersionOperation, input: OperationInput): string {
  const comment = input.comment.trim()
  const words = ['krectl version', operation, '-r', shellWord(input.runtimeId)]
  return [
    ...words,
    shellWord(input.versionName),
    ...(comment === '' ? [] : ['--comment', shellWord(comment)]),
  ].join(' ')
}
