import { useLayoutEffect, useRef, useState } from 'react'
import type { LogLine } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { formatMoment, zone } from '../ui/moment.tsx'
import { useStore } from '../ui/store.ts'
import { visibleRows } from './visible-rows.ts'

/** Of a line, in pixels; the style sheet has the same. */
const ROW_PX = 24
const OVERSCAN = 12
/** So near to its end the list is at its end. */
const END_PX = 8

type LogListProps = {
  lines: readonly LogLine[]
  isFollowing: boolean
  onFollow: (isFollowing: boolean) => void
  /** @returns how many lines came in front. */
  onReachTop: () => Promise<number>
  selected: string | null
  onSelect: (line: LogLine) => void
}

/** Lines of a log, of which only those in sight are drawn. */
export function LogList(props: LogListProps) {
  const { lines, isFollowing, onFollow, onReachTop, selected, onSelect } = props
  const frame = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState({ scrollTop: 0, heightPx: 600 })
  const isLoadingOlder = useRef(false)
  const shownZone = useStore(zone)

  useLayoutEffect(() => {
    const element = frame.current
    if (element === null) return
    const observer = new ResizeObserver(() =>
      setPlace({ scrollTop: element.scrollTop, heightPx: element.clientHeight }),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  useLayoutEffect(() => {
    const element = frame.current
    if (element !== null && isFollowing) element.scrollTop = element.scrollHeight
  }, [lines, isFollowing])

  async function scrolled(): Promise<void> {
    const element = frame.current
    if (element === null) return
    const { scrollTop, clientHeight, scrollHeight } = element
    setPlace({ scrollTop, heightPx: clientHeight })
    const isAtEnd = scrollHeight - scrollTop - clientHeight <= END_PX
    if (isAtEnd !== isFollowing) onFollow(isAtEnd)
    if (scrollTop > ROW_PX || isLoadingOlder.current || isAtEnd) return
    isLoadingOlder.current = true
    const count = await onReachTop()
    isLoadingOlder.current = false
    // What was in sight stays in sight.
    requestAnimationFrame(() => element.scrollBy(0, count * ROW_PX))
  }

  const { from, to } = visibleRows({
    ...place,
    rowPx: ROW_PX,
    count: lines.length,
    overscan: OVERSCAN,
  })
  return (
    <div
      ref={frame}
      className="log"
      role="region"
      aria-label={t.logs.lines}
      tabIndex={0}
      onScroll={() => void scrolled()}
    >
      <ol style={{ height: lines.length * ROW_PX }}>
        {lines.slice(from, to).map((line, index) => (
          <li key={line.id} style={{ transform: `translateY(${(from + index) * ROW_PX}px)` }}>
            <button
              type="button"
              className={`log-line level-${line.level.toLowerCase()}`}
              aria-pressed={line.id === selected}
              onClick={() => onSelect(line)}
            >
              <time dateTime={line.date} title={formatMoment(line.date, shownZone, 'full')}>
                {formatMoment(line.date, shownZone, 'clock')}
              </time>
              <span className="log-level">{line.level}</span>
              <span className="log-node">{line.nodeName}</span>
              <span className="log-message">{firstLine(line.message)}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  )
}

/** A row is one line high, and nobody reads more than so much of it. */
function firstLine(message: string): string {
  const end = message.indexOf('\n')
  return (end < 0 ? message : message.slice(0, end)).slice(0, 500)
}
