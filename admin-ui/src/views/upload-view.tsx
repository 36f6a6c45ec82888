import { useEffect, useRef, useState, type DragEvent } from 'react'
import { Link, useLocation } from 'wouter'
import { toApiError, type ApiError } from '../api/api-error.ts'
import type { KrtIssue } from '../api/krt-issue.ts'
import { uploadBundle, type UploadProgress } from '../api/upload-bundle.ts'
import { queries } from '../api/use-query.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { formatBytes } from '../ui/format.ts'
import { Page } from '../ui/page.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { IssueList } from './issue-list.tsx'

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending'; readonly file: File; readonly progress: UploadProgress }
  | { readonly kind: 'failed'; readonly file: File; readonly error: ApiError }
  | { readonly kind: 'warned'; readonly name: string; readonly issues: readonly KrtIssue[] }

/** A bundle becomes a version, or the whole report says why not. */
export function UploadView({ runtimeId }: { runtimeId: string }) {
  const [, navigate] = useLocation()
  const [state, setState] = useState<State>({ kind: 'idle' })
  const abort = useRef<AbortController | null>(null)
  useEffect(() => () => abort.current?.abort(), [])

  async function upload(file: File): Promise<void> {
    const controller = new AbortController()
    abort.current = controller
    setState({ kind: 'sending', file, progress: { sentBytes: 0, isChecking: false } })
    try {
      const { versionName, issues } = await uploadBundle({
        runtimeId,
        file,
        signal: controller.signal,
        onProgress: (progress) => setState({ kind: 'sending', file, progress }),
      })
      await queries.refreshAll()
      notify({ kind: 'done', text: t.upload.done(versionName) })
      if (issues.length > 0) setState({ kind: 'warned', name: versionName, issues })
      else navigate(paths.status(runtimeId, versionName))
    } catch (thrown) {
      if (controller.signal.aborted) setState({ kind: 'idle' })
      else setState({ kind: 'failed', file, error: toApiError(thrown) })
    }
  }

  const crumbs = [
    { text: t.shell.runtimes, href: paths.runtimes() },
    { text: runtimeId, href: paths.versions(runtimeId) },
  ]
  return (
    <Page title={t.upload.title} crumbs={crumbs}>
      {state.kind === 'sending' ? (
        <Sending state={state} onCancel={() => abort.current?.abort()} />
      ) : (
        <DropZone onFile={(file) => void upload(file)} />
      )}
      {state.kind === 'failed' && <Failed state={state} onRetry={() => void upload(state.file)} />}
      {state.kind === 'warned' && (
        <section className="stack-tight">
          <h2>{t.upload.warnedTitle(state.name)}</h2>
          <IssueList issues={state.issues} />
          <Link className="button button-primary" href={paths.status(runtimeId, state.name)}>
            {t.upload.goOn(state.name)}
          </Link>
        </section>
      )}
      <p className="twin">
        {t.common.twin}{' '}
        <Code text={`krectl version create -r ${shellWord(runtimeId)} ${t.upload.folder}`} />
      </p>
    </Page>
  )
}

function Sending({
  state,
  onCancel,
}: {
  state: State & { kind: 'sending' }
  onCancel: () => void
}) {
  const { file, progress } = state
  return (
    <section className="drop" aria-label={t.upload.progress}>
      <p>
        <strong>{file.name}</strong> · {formatBytes(file.size)}
      </p>
      <progress max={file.size} value={progress.isChecking ? undefined : progress.sentBytes} />
      <p role="status">
        {progress.isChecking
          ? t.upload.checking
          : t.upload.sent(formatBytes(progress.sentBytes), formatBytes(file.size))}
      </p>
      <Button onClick={onCancel}>{t.common.cancel}</Button>
    </section>
  )
}

function Failed({ state, onRetry }: { state: State & { kind: 'failed' }; onRetry: () => void }) {
  const { error, file } = state
  return (
    <section className="stack-tight" aria-live="polite">
      <h2>{t.upload.failedTitle(file.name)}</h2>
      {error.issues.length > 0 ? <IssueList issues={error.issues} /> : <ErrorNote error={error} />}
      <div>
        <Button onClick={onRetry}>{t.common.retry}</Button>
      </div>
    </section>
  )
}

function DropZone({ onFile }: { onFile: (file: File) => void }) {
  const [isOver, setOver] = useState(false)
  const [problem, setProblem] = useState('')

  function take(files: FileList | null): void {
    const file = files?.[0]
    if (file === undefined || files === null) setProblem(t.upload.noFile)
    else if (files.length > 1) setProblem(t.upload.oneFile)
    else {
      setProblem('')
      onFile(file)
    }
  }
  function drop(event: DragEvent): void {
    event.preventDefault()
    setOver(false)
    take(event.dataTransfer.files)
  }

  return (
    <div
      className={`drop ${isOver ? 'drop-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <p>{t.upload.drop}</p>
      <label className="button button-primary file-button">
        {t.upload.choose}
        <input
          type="file"
          accept=".krt,.tgz,.gz"
          onChange={(event) => {
            take(event.target.files)
            // The same file, mended, can be chosen again.
            event.target.value = ''
          }}
        />
      </label>
      <p className="hint">{t.upload.hint}</p>
      {problem !== '' && (
        <p className="hint hint-error" role="alert">
          {problem}
        </p>
      )}
    </div>
  )
}
