import { useId, useState, type KeyboardEvent } from 'react'
import { t } from '../texts/en.ts'
import { Dialog } from '../ui/dialog.tsx'
import { fuzzyFilter } from './fuzzy-match.ts'
import { usePaletteEntries, type PaletteEntry } from './use-palette-entries.ts'

/** More would be scrolled through by nobody. */
const SHOWN_MAX = 50

/** A field that finds what can be reached and done: a combobox whose list is always open. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const id = useId()
  const [query, setQuery] = useState('')
  const [index, setIndex] = useState(0)
  const found = fuzzyFilter(query, usePaletteEntries(), ({ text, group }) => `${text} ${group}`)
  const entries = found.slice(0, SHOWN_MAX)
  const active = Math.min(index, entries.length - 1)

  function choose(entry: PaletteEntry | undefined): void {
    if (entry === undefined) return
    onClose()
    entry.run()
  }

  function onKey(event: KeyboardEvent): void {
    const last = entries.length - 1
    const next = {
      ArrowDown: active === last ? 0 : active + 1,
      ArrowUp: active <= 0 ? last : active - 1,
      PageDown: Math.min(last, active + 10),
      PageUp: Math.max(0, active - 10),
    }[event.key]
    if (event.key === 'Enter') choose(entries[active])
    else if (next === undefined) return
    else setIndex(next)
    event.preventDefault()
  }

  return (
    <Dialog title={t.palette.title} onClose={onClose} className="palette">
      <input
        role="combobox"
        aria-label={t.palette.title}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={entries.length === 0 ? undefined : `${id}-${active}`}
        autoFocus
        autoComplete="off"
        spellCheck={false}
        placeholder={t.palette.hint}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value)
          setIndex(0)
        }}
        onKeyDown={onKey}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={t.palette.title} className="palette-list">
        {entries.map((entry, at) => (
          <li
            key={`${entry.group} ${entry.id}`}
            id={`${id}-${at}`}
            ref={at === active ? intoView : undefined}
            role="option"
            aria-selected={at === active}
            onPointerMove={() => setIndex(at)}
            onClick={() => choose(entry)}
          >
            <span className="palette-text">{entry.text}</span>
            <span className="faint">{entry.group}</span>
          </li>
        ))}
      </ul>
      <p role="status" className="palette-foot faint">
        {entries.length === 0 ? t.palette.nothing : t.palette.count(found.length)}
      </p>
    </Dialog>
  )
}

function intoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' })
}
