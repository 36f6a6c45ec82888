import { memo, useEffect, useRef } from 'react'
import { Link } from 'wouter'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { formatBytes, formatMs } from '../ui/format.ts'
import { formatJson, type Json } from './json.ts'
import { RequestTiming } from './request-timing.tsx'
import type { CallState } from './use-call.ts'

/** A longer text makes pages slow, and nobody reads it. */
const SHOWN_CHARS_MAX = 200_000

type AnswerPanelProps = {
  runtimeId: string
  versionName: string
  state: CallState | null
  isStream: boolean
}

/** What came of a call: messages as they come, and how it ended. */
export function AnswerPanel({ runtimeId, versionName, state, isStream }: AnswerPanelProps) {
  const panel = useRef<HTMLElement>(null)
  const isRunning = state?.isRunning ?? false
  useEffect(() => {
    // On a narrow screen it is below the form.
    if (isRunning) panel.current?.scrollIntoView({ block: 'nearest' })
  }, [isRunning])
  return (
    <section className="panel try-panel try-answer" aria-label={t.tryIt.answer} ref={panel}>
      <h2>{isStream ? t.tryIt.answers : t.tryIt.answer}</h2>
      {state === null ? (
        <p className="faint">{t.tryIt.nothingYet}</p>
      ) : (
        <>
          <Outcome state={state} isStream={isStream} />
          {state.error !== null && <ErrorNote error={state.error} />}
          {state.end !== null && state.end.status.code !== 0 && (
            <Failure status={state.end.status} />
          )}
          <Messages state={state} isStream={isStream} />
          {state.end !== null && (
            <>
              <dl className="pairs">
                <dt>{t.tryIt.took}</dt>
                <dd>{formatMs(state.end.elapsedMs)}</dd>
                <dt>{t.tryIt.requestId}</dt>
                <dd>
                  <Link href={paths.request(runtimeId, versionName, state.end.requestId)}>
                    <code>{state.end.requestId}</code>
                  </Link>
                </dd>
              </dl>
              <RequestTiming
                key={state.end.requestId}
                runtimeId={runtimeId}
                versionName={versionName}
                id={state.end.requestId}
              />
            </>
          )}
        </>
      )}
    </section>
  )
}

/** Said aloud by readers of screens, too. */
function Outcome({ state, isStream }: { state: CallState; isStream: boolean }) {
  const { isRunning, isStopped, end, count } = state
  return (
    <p role="status" className="row">
      {isRunning && (
        <span className="faint">
          {isStream && count > 0 ? t.tryIt.listening(count) : t.tryIt.waiting}
        </span>
      )}
      {isStopped && <span className="faint">{t.tryIt.stopped}</span>}
      {end !== null && (
        <span className={end.status.code === 0 ? 'chip chip-started' : 'chip chip-error'}>
          {end.status.name}
        </span>
      )}
    </p>
  )
}

function Failure({ status }: { status: NonNullable<CallState['end']>['status'] }) {
  return (
    <div className="note note-error">
      <p>{status.message}</p>
      {status.details.length > 0 && (
        <details>
          <summary>{t.tryIt.details}</summary>
          <pre>{formatJson(status.details)}</pre>
        </details>
      )}
    </div>
  )
}

function Messages({ state, isStream }: { state: CallState; isStream: boolean }) {
  const { messages, count, end } = state
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    // The last one stays in sight.
    if (list.current !== null) list.current.scrollTop = list.current.scrollHeight
  }, [count])
  if (!isStream) return messages.map(({ message }) => <Message key="one" message={message} />)
  if (count === 0)
    return end?.status.code === 0 ? <p className="faint">{t.tryIt.noMessages}</p> : null
  const first = count - messages.length
  return (
    <>
      {first > 0 && <p className="faint">{t.tryIt.leftOut(first)}</p>}
      <ol className="answers" ref={list} tabIndex={0} aria-label={t.tryIt.answers}>
        {messages.map(({ message, elapsedMs }, index) => (
          <li key={first + index}>
            <span className="faint">{t.tryIt.number(first + index + 1, formatMs(elapsedMs))}</span>
            <Message message={message} />
          </li>
        ))}
      </ol>
    </>
  )
}

/** Made once: a stream has many, and is painted often. */
const Message = memo(function Message({ message }: { message: Json }) {
  const json = formatJson(message)
  const isCut = json.length > SHOWN_CHARS_MAX
  return (
    <div className="json-answer">
      <pre tabIndex={0}>{isCut ? json.slice(0, SHOWN_CHARS_MAX) : json}</pre>
      <CopyButton text={json} name={t.tryIt.answer} />
      {isCut && <p className="faint">{t.tryIt.cut(formatBytes(json.length))}</p>}
    </div>
  )
})
