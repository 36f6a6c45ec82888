import { lazy, Suspense, useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import { useStore } from '../ui/store.ts'
import { goTo } from './go-to.ts'
import { hasShortcuts } from './keyboard-choice.ts'
import { closeTool, openedTool, openHelp, openPalette } from './opened-tool.ts'
import { useOpenPlace } from './open-place.ts'
import { isPaletteKey, pressKey } from './shortcuts.ts'

// Most visits need neither.
const CommandPalette = lazy(() =>
  import('./command-palette.tsx').then(({ CommandPalette: view }) => ({ default: view })),
)
const ShortcutHelp = lazy(() =>
  import('./shortcut-help.tsx').then(({ ShortcutHelp: view }) => ({ default: view })),
)

/** Listens to keys, and shows the palette or the list of keys when they are asked for. */
export function Keyboard() {
  const shown = useStore(openedTool)
  useKeys()
  useEffect(() => closeTool, [])
  return (
    <Suspense fallback={null}>
      {shown === 'palette' && <CommandPalette onClose={closeTool} />}
      {shown === 'help' && <ShortcutHelp onClose={closeTool} />}
    </Suspense>
  )
}

function useKeys(): void {
  const place = useOpenPlace()
  const [, navigate] = useLocation()
  const latest = useRef({ place, navigate })
  latest.current = { place, navigate }
  useEffect(() => {
    let begun: Parameters<typeof pressKey>[0] = null
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.repeat || isDialogOpen()) return
      if (isPaletteKey(event)) {
        event.preventDefault()
        openPalette()
        return
      }
      if (!hasShortcuts.get() || isTyping(event.target)) return
      const isModified = event.ctrlKey || event.altKey || event.metaKey
      const step = pressKey(begun, { key: event.key, atMs: event.timeStamp, isModified })
      begun = step.begun
      if (step.command === null) return
      event.preventDefault()
      if (step.command === 'help') openHelp()
      else if (step.command === 'palette') openPalette()
      else {
        const path = goTo(step.command, latest.current.place)
        if (path !== null) latest.current.navigate(path)
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}

/** A question that is open comes first. */
function isDialogOpen(): boolean {
  return document.querySelector('dialog[open]') !== null
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}
