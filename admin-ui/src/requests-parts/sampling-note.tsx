import { useState } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { useQuery } from '../api/use-query.ts'
import { SampleMessages, Sampling } from '../gen/documents.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Moment } from '../ui/moment.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'

const MINUTES = 15

type SamplingNoteProps = { runtimeId: string; versionName: string }

/** Whether messages of a version are kept, and for those who may, the way to begin and end that. */
export function SamplingNote({ runtimeId, versionName }: SamplingNoteProps) {
  const { data, refresh } = useQuery(Sampling, { runtimeId, name: versionName })
  const mayChange = hasLevel(useMe(), 'MANAGER', runtimeId)
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  if (data === undefined) return null
  const until = data.version.samplingUntil

  async function sample(minutes: number): Promise<void> {
    setBusy(true)
    setError(null)
    try {
      await runOperation(SampleMessages, { input: { runtimeId, versionName, minutes } })
      notify({ kind: 'done', text: minutes === 0 ? t.messages.ended : t.messages.started })
      await refresh()
    } catch (thrown) {
      setError(toApiError(thrown))
    } finally {
      setBusy(false)
    }
  }
  const twin = `krectl version sample ${shellWord(versionName)} -r ${shellWord(runtimeId)}`
  return (
    <div className="sampling">
      <p className="row">
        {until === null ? (
          t.messages.off
        ) : (
          <span>
            {t.messages.until} <Moment at={until} />
          </span>
        )}
        {mayChange && (
          <Button isBusy={isBusy} onClick={() => void sample(until === null ? MINUTES : 0)}>
            {until === null ? t.messages.keep : t.messages.end}
          </Button>
        )}
      </p>
      {mayChange && (
        <p className="hint">
          {t.messages.how} <Code text={`${twin} --minutes ${until === null ? MINUTES : 0}`} />
        </p>
      )}
      {error !== null && <ErrorNote error={error} />}
    </div>
  )
}
