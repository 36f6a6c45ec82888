import type { VersionOperation } from '@kre/contracts/version-status'
import { useState } from 'react'
import { Link } from 'wouter'
import type { VersionStatus } from '../gen/documents.ts'
import { useOfferedActions } from '../palette/offered-actions.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { OperationDialog } from './operation-dialog.tsx'
import type { OperationSubject } from './operation-subject.ts'
import { operationsOf } from './version-operations.ts'

type VersionActionsProps = {
  status: VersionStatus
  isConfigured: boolean
  /** The configuration is what is looked at already. */
  isConfiguring?: boolean
  /** One of many rows: nothing stands out, and the next step comes first. */
  inRow?: boolean
  /** Something else stands out here. */
  isAside?: boolean
  subject: OperationSubject
  onDone?: (operation: VersionOperation) => void
}

/** Buttons for what the version's status allows, the most likely next step standing out. */
export function VersionActions(props: VersionActionsProps) {
  const { status, isConfigured, isConfiguring = false, inRow = false, subject, onDone } = props
  const { isAside = inRow } = props
  const [asked, setAsked] = useState<VersionOperation | null>(null)
  const { next, others } = operationsOf(status)
  const needsValues = next === 'start' && !isConfigured
  const offered = [...(next === null || needsValues ? [] : [next]), ...others]
  // Of the many versions of a list, the palette would offer too much.
  useOfferedActions(
    (inRow ? [] : offered).map((operation) => ({
      id: operation,
      text: `${t.operations[operation].verb} ${subject.versionName}`,
      run: () => setAsked(operation),
    })),
  )
  const nextStep = needsValues ? (
    !isConfiguring && (
      <Link
        className={inRow ? 'button' : 'button button-primary'}
        href={paths.configuration(subject.runtimeId, subject.versionName)}
      >
        {t.version.completeConfiguration}
      </Link>
    )
  ) : next === null ? null : (
    <Button kind={isAside ? 'plain' : 'primary'} onClick={() => setAsked(next)}>
      {t.operations[next].verb}
    </Button>
  )
  return (
    <>
      {inRow && nextStep}
      {others.map((operation) => (
        <Button
          key={operation}
          kind={operation === 'delete' ? 'danger' : 'plain'}
          onClick={() => setAsked(operation)}
        >
          {t.operations[operation].verb}
        </Button>
      ))}
      {!inRow && nextStep}
      {asked !== null && (
        <OperationDialog
          operation={asked}
          subject={subject}
          onClose={() => setAsked(null)}
          {...(onDone === undefined ? {} : { onDone })}
        />
      )}
    </>
  )
}
