import { useState, type FormEvent } from 'react'
import { useLocation } from 'wouter'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import { CreateRuntime } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { Page } from '../ui/page.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { idFromName } from './runtime-id.ts'

export function NewRuntimeView() {
  const [, navigate] = useLocation()
  const [name, setName] = useState('')
  /** Null = made of the name. */
  const [typedId, setTypedId] = useState<string | null>(null)
  const [description, setDescription] = useState('')
  const [error, setError] = useState<ApiError | null>(null)
  const [isBusy, setBusy] = useState(false)
  const id = typedId ?? idFromName(name)

  async function create(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      await runOperation(CreateRuntime, { input: { id, name, description } })
      await queries.refreshAll()
      navigate(paths.versions(id))
    } catch (thrown) {
      setError(toApiError(thrown))
      setBusy(false)
    }
  }

  const crumbs = [{ text: t.shell.runtimes, href: paths.runtimes() }]
  return (
    <Page title={t.newRuntime.title} crumbs={crumbs}>
      <form className="form panel" onSubmit={(event) => void create(event)}>
        <Field label={t.newRuntime.name} hint={t.newRuntime.nameHint}>
          {(field) => (
            <input
              {...field}
              required
              maxLength={40}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={t.newRuntime.id} hint={t.newRuntime.idHint}>
          {(field) => (
            <input
              {...field}
              required
              className="mono"
              spellCheck={false}
              maxLength={15}
              value={id}
              onChange={(event) => setTypedId(event.target.value)}
            />
          )}
        </Field>
        <Field label={t.newRuntime.description} hint={t.newRuntime.descriptionHint}>
          {(field) => (
            <textarea
              {...field}
              required
              rows={3}
              maxLength={500}
              value={description}
              onChange={(event) => setDescription(event.target.value)}
            />
          )}
        </Field>
        {error !== null && <ErrorNote error={error} />}
        <div>
          <Button kind="primary" type="submit" isBusy={isBusy}>
            {t.newRuntime.create}
          </Button>
        </div>
        <p className="twin">
          {t.common.twin}{' '}
          <Code
            text={`krectl runtime create ${shellWord(id || 'ID')} --name ${shellWord(name)} --description ${shellWord(description)}`}
          />
        </p>
      </form>
    </Page>
  )
}
