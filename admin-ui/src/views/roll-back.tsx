import { isAllowed } from '@kre/contracts/version-status'
import { useState } from 'react'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import { PublishVersion, StartVersion, type RuntimeDetails } from '../gen/documents.ts'
import { useOfferedActions } from '../palette/offered-actions.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { useFrozen } from '../ui/use-frozen.ts'
import { ChangeDialog } from './change-dialog.tsx'
import { offerUndo } from './offer-undo.ts'
import { undoOf } from './undo-operation.ts'
import { cliTwin } from './version-operations.ts'

type Previous = NonNullable<RuntimeDetails['previousVersion']>

/** Leads back to what was published before; nothing where there was none. */
export function RollBack({ runtime }: { runtime: RuntimeDetails }) {
  const [isAsked, setAsked] = useState(false)
  const name = runtime.previousVersion?.name ?? null
  const ask = (): void => setAsked(true)
  useOfferedActions(
    name === null ? [] : [{ id: 'roll-back', text: t.rollBack.button(name), run: ask }],
  )
  return (
    <>
      {name !== null && <Button onClick={ask}>{t.rollBack.button(name)}</Button>}
      {isAsked && <Question runtime={runtime} onClose={() => setAsked(false)} />}
    </>
  )
}

type QuestionProps = { runtime: RuntimeDetails; onClose: () => void }

function Question({ onClose, ...props }: QuestionProps) {
  const [runtime, renew] = useFrozen(props.runtime)
  const { previousVersion: previous } = runtime
  if (previous === null) return null
  const parts = { runtime, previous, onClose }
  return previous.status === 'STARTED' ? (
    <Publish {...parts} onStale={renew} />
  ) : (
    <StartFirst {...parts} />
  )
}

type StepProps = QuestionProps & { previous: Previous }

function Publish({ runtime, previous, onStale, onClose }: StepProps & { onStale: () => void }) {
  const { id: runtimeId, entrypointAddress, publishedVersion } = runtime
  const published = publishedVersion?.name ?? null
  const { name } = previous

  async function change(comment: string): Promise<void> {
    await runOperation(PublishVersion, {
      input: { runtimeId, versionName: name, comment, ifPublished: published ?? '' },
    })
    const undo = undoOf('publish', name, published)
    if (undo !== null) offerUndo(t.rollBack.done(name), { runtimeId, comment }, undo)
    onClose()
    await queries.refreshAll()
  }

  return (
    <ChangeDialog
      title={t.rollBack.title(name)}
      text={t.rollBack.consequence(name, published, entrypointAddress)}
      verb={t.rollBack.verb}
      isDangerous={false}
      twin={(comment) => rollBackTwin(runtimeId, comment.trim())}
      change={change}
      onStale={onStale}
      onClose={onClose}
    />
  )
}

function StartFirst({ runtime, previous, onClose }: StepProps) {
  const { name, status } = previous
  const mayStart = isAllowed('start', status)
  const words = t.status[status]

  async function change(comment: string): Promise<void> {
    const input = { runtimeId: runtime.id, versionName: name, comment }
    await runOperation(StartVersion, { input })
    notify({ kind: 'done', text: t.operations.start.done(name) })
    onClose()
    await queries.refreshAll()
  }

  return (
    <ChangeDialog
      title={t.rollBack.startTitle(name)}
      text={mayStart ? t.rollBack.start(name, words) : t.rollBack.wait(name, words)}
      verb={t.operations.start.verb}
      isDangerous={false}
      isReady={mayStart}
      twin={(comment) => cliTwin('start', { runtimeId: runtime.id, versionName: name, comment })}
      change={change}
      onClose={onClose}
    />
  )
}

function rollBackTwin(runtimeId: string, comment: string): string {
  const why = comment === '' ? '' : ` --comment ${shellWord(comment)}`
  return `krectl version rollback -r ${shellWord(runtimeId)}${why}`
}
