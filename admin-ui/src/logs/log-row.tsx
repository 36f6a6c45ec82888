import { memo } from 'react'
import type { LogLine } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { formatMoment, type Zone } from '../ui/moment.tsx'
import { rowText } from './line-text.ts'

/** Of a line, in pixels; the style sheet has the same. */
export const ROW_PX = 24
/** Of a request's id: enough to tell the requests of a screen apart. */
const ID_CHARS = 8

type LogRowProps = {
  line: LogLine
  /** From 0. */
  index: number
  count: number
  isSelected: boolean
  zone: Zone
  onSelect: (line: LogLine) => void
  /** Of its request. A plain link, as each one of the router's listens to the address; the list follows it. */
  href: string | null
}

/** One line of a log, one line high. The list takes the keys, so that a page of lines is one step for Tab. */
export const LogRow = memo(function LogRow(props: LogRowProps) {
  const { line, index, count, isSelected, zone, onSelect, href } = props
  const { text, moreLines } = rowText(line)
  return (
    <li
      style={{ transform: `translateY(${index * ROW_PX}px)` }}
      aria-posinset={index + 1}
      aria-setsize={count}
      className={`level-${line.level.toLowerCase()}`}
    >
      <button
        type="button"
        className="log-line"
        tabIndex={-1}
        aria-pressed={isSelected}
        onClick={() => onSelect(line)}
      >
        <time dateTime={line.date} title={formatMoment(line.date, zone, 'full')}>
          {formatMoment(line.date, zone, 'clock')}
        </time>
        <span className="log-level">{line.level}</span>
        <span className="log-node">{line.nodeName}</span>
        <span className="log-message">{text}</span>
        {moreLines > 0 && <span className="log-more">{t.logs.moreLines(moreLines)}</span>}
      </button>
      {href !== null && (
        <a className="log-request" tabIndex={-1} href={href} title={t.logs.waterfall}>
          {line.requestId?.slice(0, ID_CHARS)}
        </a>
      )}
    </li>
  )
})
