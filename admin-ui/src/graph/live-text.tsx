import { useLayoutEffect, useRef } from 'react'
import { useGraph } from './graph-context.ts'
import type { ReadFigure } from './use-traffic.ts'

type LiveTextProps = { figure: string; read: ReadFigure<string> }

/**
 * A text that follows the traffic. It is written into the page past React: sixty nodes change up to ten times a second,
 * and rendering them would cost several times what drawing them does.
 */
export function LiveText({ figure, read }: LiveTextProps) {
  const { traffic } = useGraph()
  const element = useRef<HTMLSpanElement>(null)
  useLayoutEffect(() => {
    let shown: string | null = null
    const write = (): void => {
      const { figures, isKnown } = traffic.get()
      const text = read(figures.get(figure), isKnown)
      if (text === shown || element.current === null) return
      element.current.textContent = text
      shown = text
    }
    write()
    return traffic.subscribe(write)
  }, [traffic, figure, read])
  return <span ref={element} />
}
