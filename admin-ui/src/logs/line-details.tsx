import { useState } from 'react'
import { Link } from 'wouter'
import type { LogLine } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/code.tsx'
import { formatBytes } from '../ui/format.ts'
import { Moment } from '../ui/moment.tsx'
import { SHOWN_CHARS } from './line-text.ts'
import { saveText } from './save-text.ts'

type LineDetailsProps = {
  line: LogLine
  place: { runtimeId: string; versionName: string }
  onClose: () => void
}

/** The whole of one line, as far as it can be read at once, and the ways from it. */
export function LineDetails({ line, place, onClose }: LineDetailsProps) {
  const { runtimeId, versionName } = place
  const { id, date, message, requestId } = line
  return (
    <aside className="line-details" aria-label={t.logs.line}>
      <div className="details-head">
        <p>
          <Moment at={date} seconds /> · {line.level} · {line.workflowName} {line.nodeName}
        </p>
        <span className="row">
          <CopyButton text={message} name={t.logs.line} />
          <Button kind="quiet" onClick={onClose}>
            {t.common.close}
          </Button>
        </span>
      </div>
      <Message key={id} message={message} />
      <p className="row">
        <Link href={paths.logs(runtimeId, versionName, { around: date, line: id })}>
          {t.logs.around}
        </Link>
        {requestId !== null && (
          <>
            <Link href={paths.logs(runtimeId, versionName, { request: requestId })}>
              {t.logs.ofRequest}
            </Link>
            <Link href={paths.request(runtimeId, versionName, requestId)}>{t.logs.waterfall}</Link>
            <span className="faint">
              {t.requests.id} <code>{requestId}</code>
            </span>
          </>
        )}
      </p>
    </aside>
  )
}

function Message({ message }: { message: string }) {
  const [shown, setShown] = useState(SHOWN_CHARS)
  return (
    <>
      <pre tabIndex={0}>{message.slice(0, shown)}</pre>
      {message.length > shown && (
        <p className="row">
          <span className="faint">
            {t.logs.shownOf(formatBytes(shown), formatBytes(message.length))}
          </span>
          <Button onClick={() => setShown(shown + SHOWN_CHARS)}>{t.logs.showMore}</Button>
          <Button onClick={() => saveText(message, 'line.log')}>{t.logs.saveLine}</Button>
        </p>
      )}
    </>
  )
}
