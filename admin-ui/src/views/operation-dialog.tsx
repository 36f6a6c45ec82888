import type { VersionOperation } from '@kre/contracts/version-status'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import { PublishVersion } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { notify } from '../ui/toasts.ts'
import { useFrozen } from '../ui/use-frozen.ts'
import { ChangeDialog } from './change-dialog.tsx'
import { offerUndo } from './offer-undo.ts'
import type { OperationSubject } from './operation-subject.ts'
import { undoOf } from './undo-operation.ts'
import { cliTwin, OPERATION_DOCUMENTS } from './version-operations.ts'

type OperationDialogProps = {
  operation: VersionOperation
  subject: OperationSubject
  onClose: () => void
  onDone?: (operation: VersionOperation) => void
}

/** Starts, stops, publishes, unpublishes or deletes a version. */
export function OperationDialog({ operation, onClose, onDone, ...props }: OperationDialogProps) {
  const [subject, renew] = useFrozen(props.subject)
  const { runtimeId, versionName, publishedName } = subject
  const words = t.operations[operation]

  async function change(comment: string): Promise<void> {
    const input = { runtimeId, versionName, comment }
    // What the text says is replaced, and nothing else.
    if (operation === 'publish')
      await runOperation(PublishVersion, { input: { ...input, ifPublished: publishedName ?? '' } })
    else await runOperation(OPERATION_DOCUMENTS[operation], { input })
    const undo = undoOf(operation, versionName, publishedName)
    if (undo === null) notify({ kind: 'done', text: words.done(versionName) })
    else offerUndo(words.done(versionName), input, undo)
    onClose()
    onDone?.(operation)
    await queries.refreshAll()
  }

  return (
    <ChangeDialog
      title={words.title(versionName)}
      text={words.consequence(subject)}
      verb={words.verb}
      isDangerous={operation === 'delete'}
      twin={(comment) => cliTwin(operation, { runtimeId, versionName, comment })}
      change={change}
      onStale={renew}
      onClose={onClose}
    />
  )
}
