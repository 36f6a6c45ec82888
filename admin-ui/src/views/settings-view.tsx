import { useState, type FormEvent } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries, useQuery } from '../api/use-query.ts'
import { EngineSettings, UpdateSettings, type EngineSettingsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Field } from '../ui/field.tsx'
import { Page } from '../ui/page.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { Twin } from '../ui/twin.tsx'

export function SettingsView() {
  const query = useQuery(EngineSettings, {})
  // Outlasts the form, which begins anew with what somebody else has set.
  const [error, setError] = useState<ApiError | null>(null)
  return (
    <Page title={t.settings.title}>
      <QueryView query={query}>
        {({ settings }) => (
          <Form
            key={JSON.stringify(settings)}
            settings={settings}
            error={error}
            onError={setError}
          />
        )}
      </QueryView>
    </Page>
  )
}

type FormProps = {
  settings: EngineSettingsResult['settings']
  error: ApiError | null
  onError: (error: ApiError | null) => void
}

function Form({ settings, error, onError }: FormProps) {
  const stored = settings.authAllowedDomains.join('\n')
  const [domains, setDomains] = useState(stored)
  const [days, setDays] = useState(settings.sessionLifetimeInDays)
  const [isBusy, setBusy] = useState(false)
  const isDirty = domains !== stored || days !== settings.sessionLifetimeInDays

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    onError(null)
    try {
      const authAllowedDomains = toList(domains)
      await runOperation(UpdateSettings, {
        input: {
          authAllowedDomains,
          sessionLifetimeInDays: days,
          ifAuthAllowedDomains: settings.authAllowedDomains,
          ifSessionLifetimeInDays: settings.sessionLifetimeInDays,
        },
      })
      notify({ kind: 'done', text: t.settings.saved })
      await queries.refreshAll()
    } catch (thrown) {
      const problem = toApiError(thrown)
      onError(problem)
      if (problem.code === 'ABORTED') await queries.refreshAll()
    } finally {
      setBusy(false)
    }
  }

  return (
    <form className="form panel" onSubmit={(event) => void save(event)}>
      <Field label={t.settings.domains} hint={t.settings.domainsHint}>
        {(field) => (
          <textarea
            {...field}
            rows={4}
            className="mono"
            spellCheck={false}
            value={domains}
            onChange={(event) => setDomains(event.target.value)}
          />
        )}
      </Field>
      <Field label={t.settings.days} hint={t.settings.daysHint}>
        {(field) => (
          <input
            {...field}
            type="number"
            className="short-input"
            min={1}
            max={3650}
            required
            value={Number.isNaN(days) ? '' : days}
            onChange={(event) => setDays(event.target.valueAsNumber)}
          />
        )}
      </Field>
      {error !== null && <ErrorNote error={error} />}
      <div className="form-end">
        <Button kind="primary" type="submit" disabled={!isDirty} isBusy={isBusy}>
          {t.settings.save}
        </Button>
        {isDirty && <span className="faint">{t.settings.dirty}</span>}
      </div>
      <Twin text={cliTwin(toList(domains), days)} />
    </form>
  )
}

/** One a line, or with commas between. */
function toList(domains: string): string[] {
  return domains.split(/[\s,]+/).filter((domain) => domain !== '')
}

function cliTwin(domains: readonly string[], days: number): string {
  const allowed =
    domains.length === 0 ? '--allow-nobody' : `--allow-domains ${domains.map(shellWord).join(' ')}`
  return `krectl settings set --session-days ${Number.isNaN(days) ? 'DAYS' : days} ${allowed}`
}
