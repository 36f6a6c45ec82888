import '../style/upload.css'
import { useEffect, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { ApiError, toApiError } from '../api/api-error.ts'
import type { KrtIssue } from '../api/krt-issue.ts'
import { queries, useQuery } from '../api/use-query.ts'
import { Runtimes } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Page } from '../ui/page.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { visibleText } from '../ui/visible-text.ts'
import { readStart } from '../upload/choose-bundle.ts'
import { createUpload, type Upload, type UploadProgress } from '../upload/create-upload.ts'
import { DropZone } from '../upload/drop-zone.tsx'
import { NAME_CHARS_MAX, UploadProgressPanel } from '../upload/upload-progress.tsx'
import { UploadReport } from '../upload/upload-report.tsx'

type Sent = { readonly file: File; readonly upload: Upload }
type State =
  | { readonly kind: 'idle' }
  | (Sent & { readonly kind: 'sending'; readonly progress: UploadProgress })
  | (Sent & { readonly kind: 'failed'; readonly error: ApiError })
  | {
      readonly kind: 'warned'
      readonly file: File
      readonly name: string
      readonly issues: readonly KrtIssue[]
    }

/** A bundle becomes a version, or the whole report says why not. */
export function UploadView({ runtimeId }: { runtimeId: string }) {
  const [, navigate] = useLocation()
  const [state, setState] = useState<State>({ kind: 'idle' })
  const { data: runtimes } = useQuery(Runtimes, {})
  const abort = useRef<AbortController | null>(null)
  useEffect(() => () => abort.current?.abort(), [])
  useLeaveWarning(state.kind === 'sending')

  async function run(file: File, upload: Upload): Promise<void> {
    const controller = new AbortController()
    abort.current = controller
    setState({ kind: 'sending', file, upload, progress: { sentBytes: 0, state: 'sending' } })
    try {
      if ((await readStart(file)) === null) throw new ApiError('UNREADABLE', t.upload.unreadable)
      const { versionName, issues } = await upload.send({
        signal: controller.signal,
        onProgress: (progress) => setState({ kind: 'sending', file, upload, progress }),
      })
      await queries.refreshAll()
      notify({ kind: 'done', text: t.upload.done(versionName) })
      if (issues.length > 0) setState({ kind: 'warned', file, name: versionName, issues })
      else navigate(paths.status(runtimeId, versionName))
    } catch (thrown) {
      const error = toApiError(thrown)
      if (controller.signal.aborted) {
        upload.forget()
        setState({ kind: 'idle' })
      } else setState({ kind: 'failed', file, upload, error })
    }
  }

  const name = runtimes?.runtimes.find(({ id }) => id === runtimeId)?.name
  const crumbs = [
    { text: t.shell.runtimes, href: paths.runtimes() },
    { text: name ?? runtimeId, href: paths.versions(runtimeId) },
  ]
  return (
    <Page title={t.upload.title} crumbs={crumbs}>
      {state.kind === 'sending' && (
        <UploadProgressPanel
          file={state.file}
          progress={state.progress}
          onCancel={() => abort.current?.abort()}
        />
      )}
      {(state.kind === 'idle' || state.kind === 'failed') && (
        <DropZone
          isSmall={state.kind === 'failed'}
          isPrimary={!canGoOn(state)}
          onFile={(file) => void run(file, createUpload(runtimeId, file))}
        />
      )}
      {state.kind === 'failed' && (
        <Failed state={state} onRetry={() => void run(state.file, state.upload)} />
      )}
      {state.kind === 'warned' && (
        <section className="stack-tight">
          <div className="report-head">
            <h2>{t.upload.warnedTitle(state.name)}</h2>
            <Link className="button button-primary" href={paths.status(runtimeId, state.name)}>
              {t.upload.goOn(state.name)}
            </Link>
          </div>
          <UploadReport bundle={state.file} issues={state.issues} />
        </section>
      )}
      <p className="twin">
        {t.common.twin}{' '}
        <Code text={`krectl version create -r ${shellWord(runtimeId)} ${t.upload.folder}`} />
      </p>
    </Page>
  )
}

/** The browser asks before a page is left on which something is under way. */
function useLeaveWarning(isUnderWay: boolean): void {
  useEffect(() => {
    if (!isUnderWay) return
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault()
    globalThis.addEventListener('beforeunload', warn)
    return () => globalThis.removeEventListener('beforeunload', warn)
  }, [isUnderWay])
}

/** What is wrong with the bundle itself stays wrong. */
function canGoOn(state: State): boolean {
  return state.kind === 'failed' && state.error.issues.length === 0
}

function Failed({ state, onRetry }: { state: State & { kind: 'failed' }; onRetry: () => void }) {
  const { error, file } = state
  const name = visibleText(file.name, NAME_CHARS_MAX)
  if (!canGoOn(state))
    return (
      <section className="stack-tight" aria-live="polite">
        <h2>{t.upload.failedTitle(name)}</h2>
        <UploadReport bundle={file} issues={error.issues} />
      </section>
    )
  return (
    <section className="stack-tight" aria-live="polite">
      <h2>{t.upload.failedTitle(name)}</h2>
      <ErrorNote error={error} />
      <div>
        <Button kind="primary" onClick={onRetry}>
          {t.upload.continue}
        </Button>
      </div>
    </section>
  )
}
