import { useState } from 'react'
import { useLocation } from 'wouter'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import { DeleteRuntime as Delete, type RuntimeFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { ChangeDialog } from './change-dialog.tsx'

/** Deletes a runtime with its data, after its id was typed: nothing brings that back. */
export function DeleteRuntime({ runtime }: { runtime: RuntimeFacts }) {
  const [isAsked, setAsked] = useState(false)
  return (
    <p className="page-end">
      <Button kind="quiet" onClick={() => setAsked(true)}>
        {t.versions.deleteRuntime}
      </Button>
      {isAsked && <Question runtime={runtime} onClose={() => setAsked(false)} />}
    </p>
  )
}

function Question({ runtime, onClose }: { runtime: RuntimeFacts; onClose: () => void }) {
  const [, navigate] = useLocation()
  const [typed, setTyped] = useState('')

  async function change(comment: string): Promise<void> {
    await runOperation(Delete, { input: { id: runtime.id, comment } })
    notify({ kind: 'done', text: t.versions.runtimeDeleted(runtime.name) })
    navigate(paths.runtimes())
    await queries.refreshAll()
  }

  return (
    <ChangeDialog
      title={t.versions.deleteRuntimeTitle(runtime.name)}
      text={t.versions.deleteRuntimeText}
      verb={t.versions.deleteRuntime}
      isDangerous
      isReady={typed === runtime.id}
      twin={(comment) =>
        `krectl runtime delete ${runtime.id} --comment ${shellWord(comment.trim())}`
      }
      change={change}
      onClose={onClose}
      isCommentFirst={false}
    >
      <Field label={t.versions.typeId(runtime.id)}>
        {(field) => (
          <input
            {...field}
            required
            autoFocus
            className="mono"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
    </ChangeDialog>
  )
}
