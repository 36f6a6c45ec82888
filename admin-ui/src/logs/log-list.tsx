import { useLayoutEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react'
import { useLocation } from 'wouter'
import { uiBase } from '../api/app-base.ts'
import type { LogLine } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { zone } from '../ui/moment.tsx'
import { useStore } from '../ui/store.ts'
import { LogRow, ROW_PX } from './log-row.tsx'
import { visibleRows } from './visible-rows.ts'

/** Rows above and below those in sight, for a quick finger. */
const OVERSCAN = 12
/** Of a list that is passing by: what comes next is somewhere else. */
const OVERSCAN_PASSING = 2
/** So near to its end the list is at its end. */
const END_PX = 8

type LogListProps = {
  lines: readonly LogLine[]
  /** By how many lines those that are there moved since the beginning. */
  front: number
  isFollowing: boolean
  onFollow: (isFollowing: boolean) => void
  onReachTop: () => void
  /** Brought into sight when it is there first. */
  anchor: string | null
  selected: string | null
  onSelect: (line: LogLine) => void
  hrefOf: (requestId: string) => string
}

/** Lines of a log, of which only those in sight are drawn. */
export function LogList(props: LogListProps) {
  const { lines, front, isFollowing, onFollow, onReachTop, anchor, selected, onSelect } = props
  const frame = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState({ scrollTop: 0, heightPx: 600, isPassing: false })
  const [, navigate] = useLocation()
  const shownZone = useStore(zone)
  const list = useRef({ front, isAnchored: false })

  useLayoutEffect(() => {
    const element = frame.current
    if (element === null) return
    const observer = new ResizeObserver(() =>
      setPlace({
        scrollTop: element.scrollTop,
        heightPx: element.clientHeight,
        isPassing: false,
      }),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  useLayoutEffect(() => {
    const element = frame.current
    if (element === null) return
    const movedPx = (front - list.current.front) * ROW_PX
    list.current.front = front
    const index = anchor === null ? -1 : lines.findIndex(({ id }) => id === anchor)
    if (index >= 0 && !list.current.isAnchored) {
      list.current.isAnchored = true
      element.scrollTop = index * ROW_PX - element.clientHeight / 2
    } else if (isFollowing) element.scrollTop = lines.length * ROW_PX
    // What was in sight stays in sight.
    else if (movedPx !== 0) element.scrollTop += movedPx
  }, [lines, front, isFollowing, anchor])

  function scrolled(): void {
    const element = frame.current
    if (element === null) return
    const { scrollTop, clientHeight } = element
    setPlace((before) => ({
      scrollTop,
      heightPx: clientHeight,
      isPassing: Math.abs(scrollTop - before.scrollTop) > clientHeight,
    }))
    const isAtEnd = lines.length * ROW_PX - scrollTop - clientHeight <= END_PX
    if (isAtEnd !== isFollowing) onFollow(isAtEnd)
    if (scrollTop < clientHeight && !isAtEnd) onReachTop()
  }

  const { from, to } = visibleRows({
    scrollTop: place.scrollTop,
    heightPx: place.heightPx,
    rowPx: ROW_PX,
    count: lines.length,
    overscan: place.isPassing ? OVERSCAN_PASSING : OVERSCAN,
  })
  function keyDown(event: KeyboardEvent): void {
    const chosen = lines.findIndex(({ id }) => id === selected)
    const page = Math.max(1, Math.floor(place.heightPx / ROW_PX) - 1)
    const target = nextRow(event.key, chosen < 0 ? to - 1 : chosen, page, lines.length)
    const line = target === null ? undefined : lines[target]
    const element = frame.current
    if (target === null || line === undefined || element === null) return
    event.preventDefault()
    onFollow(false)
    onSelect(line)
    const topPx = target * ROW_PX
    if (topPx < element.scrollTop) element.scrollTop = topPx
    else if (topPx + ROW_PX > element.scrollTop + element.clientHeight)
      element.scrollTop = topPx + ROW_PX - element.clientHeight
  }

  /** Links to requests stay inside the page, unless somebody wants them in another one. */
  function clicked(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    const path = link?.getAttribute('href')?.slice(uiBase.length)
    if (path === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    navigate(path)
  }

  return (
    <div
      ref={frame}
      className="log"
      role="region"
      aria-label={t.logs.lines}
      aria-describedby="log-keys"
      tabIndex={0}
      onScroll={scrolled}
      onKeyDown={keyDown}
      onClick={clicked}
    >
      <p id="log-keys" className="hidden-text">
        {t.logs.keys}
      </p>
      <ol style={{ height: lines.length * ROW_PX }}>
        {lines.slice(from, to).map((line, index) => (
          <LogRow
            key={line.id}
            line={line}
            index={from + index}
            count={lines.length}
            isSelected={line.id === selected}
            zone={shownZone}
            onSelect={onSelect}
            href={line.requestId === null ? null : `${uiBase}${props.hrefOf(line.requestId)}`}
          />
        ))}
      </ol>
    </div>
  )
}

/** Which line a key leads to from another one; null = the key is not for the list. */
function nextRow(key: string, from: number, page: number, count: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowUp: from - 1,
    ArrowDown: from + 1,
    PageUp: from - page,
    PageDown: from + page,
    Home: 0,
    End: count - 1,
  }
  const target = steps[key]
  return target === undefined ? null : Math.max(0, Math.min(target, count - 1))
}
