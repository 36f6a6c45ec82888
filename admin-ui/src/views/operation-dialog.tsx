import type { VersionOperation } from '@kre/contracts/version-status'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import { t } from '../texts/en.ts'
import { notify } from '../ui/toasts.ts'
import { ChangeDialog } from './change-dialog.tsx'
import type { OperationSubject } from './operation-subject.ts'
import { cliTwin, OPERATION_DOCUMENTS } from './version-operations.ts'

type OperationDialogProps = {
  operation: VersionOperation
  subject: OperationSubject
  onClose: () => void
  onDone?: (operation: VersionOperation) => void
}

/** Starts, stops, publishes, unpublishes or deletes a version. */
export function OperationDialog({ operation, subject, onClose, onDone }: OperationDialogProps) {
  const { runtimeId, versionName } = subject
  const words = t.operations[operation]

  async function change(comment: string): Promise<void> {
    const input = { runtimeId, versionName, comment }
    await runOperation(OPERATION_DOCUMENTS[operation], { input })
    notify({ kind: 'done', text: words.done(versionName) })
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
      onClose={onClose}
    />
  )
}
