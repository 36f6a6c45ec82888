import { useEffect, useRef, useState } from 'react'

/** Files that were dropped, and whether a folder was among them. */
type OnDrop = (files: readonly File[], hasFolder: boolean) => void

/**
 * Files may be dropped anywhere on the page while the view is there. On the body, so that it comes before `guardDrops`.
 *
 * @returns whether some are held over it.
 */
export function useFileDrop(onDrop: OnDrop): boolean {
  const [isOver, setOver] = useState(false)
  const latest = useRef(onDrop)
  latest.current = onDrop
  useEffect(() => {
    const ended = new AbortController()
    const { signal } = ended
    const over = (event: DragEvent): void => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    document.body.addEventListener('dragover', over, { signal })
    document.body.addEventListener(
      'dragleave',
      (event) => {
        // Leaving one element for another says so, too.
        if (event.relatedTarget === null) setOver(false)
      },
      { signal },
    )
    document.body.addEventListener(
      'drop',
      (event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setOver(false)
        const items = [...(event.dataTransfer?.items ?? [])]
        const hasFolder = items.some((item) => item.webkitGetAsEntry()?.isDirectory === true)
        latest.current([...(event.dataTransfer?.files ?? [])], hasFolder)
      },
      { signal },
    )
    return () => ended.abort()
  }, [])
  return isOver
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes('Files') === true
}
