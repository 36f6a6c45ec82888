import { useEffect, useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries, useQuery } from '../api/use-query.ts'
import { Configuration, UpdateConfiguration, type ConfigurationResult } from '../gen/documents.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { notify } from '../ui/toasts.ts'
import { KeyTable } from './key-table.tsx'

type Place = { runtimeId: string; versionName: string }
type Version = ConfigurationResult['version']

/** Values that a version needs from outside: they can be written, never read. */
export function ConfigurationTab({ runtimeId, versionName }: Place) {
  const query = useQuery(Configuration, { runtimeId, name: versionName })
  return (
    <QueryView query={query}>
      {({ version }) =>
        version.config.vars.length === 0 ? (
          <Face title={t.configuration.emptyTitle} text={t.configuration.empty} />
        ) : (
          <Editor runtimeId={runtimeId} versionName={versionName} version={version} />
        )
      }
    </QueryView>
  )
}

function Editor({ runtimeId, versionName, version }: Place & { version: Version }) {
  const mayEdit = hasLevel(useMe(), 'MANAGER', runtimeId)
  const [typed, setTyped] = useState<ReadonlyMap<string, string>>(new Map())
  /** What was there when typing began: another generation by now means that somebody else was faster. */
  const [generation, setGeneration] = useState(version.config.generation)
  const [error, setError] = useState<ApiError | null>(null)
  const [isBusy, setBusy] = useState(false)
  const isDirty = typed.size > 0
  useWarnBeforeLeaving(isDirty)

  function type(key: string, value: string | null): void {
    if (!isDirty) setGeneration(version.config.generation)
    const next = new Map(typed)
    if (value === null) next.delete(key)
    else next.set(key, value)
    setTyped(next)
  }
  async function save(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      const configurationVariables = [...typed].map(([key, value]) => ({ key, value }))
      await runOperation(UpdateConfiguration, {
        input: { runtimeId, versionName, configurationVariables, ifGeneration: generation },
      })
      setTyped(new Map())
      notify({ kind: 'done', text: t.configuration.saved })
      await queries.refreshAll()
    } catch (thrown) {
      setError(toApiError(thrown))
      // Saving again after having been told overwrites on purpose.
      if (toApiError(thrown).code === 'ABORTED') {
        await queries.refreshAll()
        setGeneration(Number.NaN)
      }
    } finally {
      setBusy(false)
    }
  }
  if (Number.isNaN(generation)) setGeneration(version.config.generation)

  const isRunning = ['STARTED', 'PUBLISHED', 'STARTING'].includes(version.status)
  return (
    <form className="stack-tight" onSubmit={(event) => void save(event)}>
      {version.config.completed ? (
        <p className="faint">{t.configuration.complete}</p>
      ) : (
        <p className="note note-warning">{t.configuration.incomplete}</p>
      )}
      <KeyTable variables={version.config.vars} typed={typed} mayEdit={mayEdit} onType={type} />
      {error !== null && (
        <>
          <ErrorNote error={error} />
          {error.code === 'ABORTED' && <p className="note">{t.configuration.conflict}</p>}
        </>
      )}
      {mayEdit && (
        <div className="save-bar">
          {isDirty && <span>{t.configuration.dirty(typed.size)}</span>}
          {isDirty && isRunning && <span>{t.configuration.restarts}</span>}
          <Button disabled={!isDirty} onClick={() => setTyped(new Map())}>
            {t.configuration.discard}
          </Button>
          <Button kind="primary" type="submit" disabled={!isDirty} isBusy={isBusy}>
            {t.configuration.save}
          </Button>
        </div>
      )}
      <p className="twin">
        {t.common.twin} <Code text={`krectl config set -r ${runtimeId} ${versionName} KEY=VALUE`} />
      </p>
    </form>
  )
}

/** The browser asks before a page with unsaved values goes. */
function useWarnBeforeLeaving(isDirty: boolean): void {
  useEffect(() => {
    if (!isDirty) return
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [isDirty])
}
