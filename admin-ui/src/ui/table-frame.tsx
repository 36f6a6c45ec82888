import { useLayoutEffect, useRef, useState, type ReactNode } from 'react'

type TableFrameProps = {
  /** What the table has, for those who come to it by the keyboard or hear it. */
  label: string
  children: ReactNode
}

/** Rounding of widths is no reason to scroll. */
const SLACK_PX = 1

/**
 * Around a table: the head stays in sight. Only a table that is too wide for its place scrolls in itself; then the
 * keyboard reaches it, too.
 */
export function TableFrame({ label, children }: TableFrameProps) {
  const frame = useRef<HTMLDivElement>(null)
  const [isWide, setWide] = useState(false)
  useLayoutEffect(() => {
    const element = frame.current
    const table = element?.querySelector('table') ?? null
    if (element === null || table === null) return
    const look = (): void => setWide(table.scrollWidth > element.clientWidth + SLACK_PX)
    look()
    const observer = new ResizeObserver(look)
    observer.observe(element)
    observer.observe(table)
    return () => observer.disconnect()
  }, [])
  return (
    <div
      ref={frame}
      className={`table-frame data-frame${isWide ? ' is-wide' : ''}`}
      {...(isWide ? { role: 'region', 'aria-label': label, tabIndex: 0 } : {})}
    >
      {children}
    </div>
  )
}
