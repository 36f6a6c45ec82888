/** Keys that lead somewhere, and what a press of one means. Pure. */

export const SHORTCUTS = [
  { keys: ['?'], command: 'help' },
  { keys: ['/'], command: 'palette' },
  { keys: ['g', 'r'], command: 'runtimes' },
  { keys: ['g', 'v'], command: 'versions' },
  { keys: ['g', 's'], command: 'status' },
  { keys: ['g', 'q'], command: 'requests' },
  { keys: ['g', 'l'], command: 'logs' },
  { keys: ['g', 'c'], command: 'configuration' },
  { keys: ['g', 'd'], command: 'compare' },
  { keys: ['g', 'u'], command: 'users' },
  { keys: ['g', 'a'], command: 'audit' },
  { keys: ['g', 't'], command: 'settings' },
  { keys: ['g', 'p'], command: 'profile' },
] as const
export type ShortcutCommand = (typeof SHORTCUTS)[number]['command']

/** The second key of two comes within so much, in ms. */
export const SEQUENCE_MS = 1_500

export type Press = {
  readonly key: string
  readonly atMs: number
  /** Whether control, alt or the command key is held: then the press is the browser's, or the system's. */
  readonly isModified: boolean
}
type Begun = { readonly key: string; readonly atMs: number } | null
type Step = { readonly begun: Begun; readonly command: ShortcutCommand | null }

/** @param begun first key of a sequence that is under way. */
export function pressKey(begun: Begun, { key, atMs, isModified }: Press): Step {
  if (isModified) return { begun: null, command: null }
  const first = begun !== null && atMs - begun.atMs <= SEQUENCE_MS ? begun.key : null
  if (first !== null) {
    const second = SHORTCUTS.find(({ keys }) => keys[0] === first && keys[1] === key)
    return { begun: null, command: second?.command ?? null }
  }
  const single = SHORTCUTS.find(({ keys }) => keys.length === 1 && keys[0] === key)
  if (single !== undefined) return { begun: null, command: single.command }
  const begins = SHORTCUTS.some(({ keys }) => keys.length === 2 && keys[0] === key)
  return { begun: begins ? { key, atMs } : null, command: null }
}

/** The palette's own key, with control or the command key. It works also where somebody types. */
export function isPaletteKey(event: {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}): boolean {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event
  return key.toLowerCase() === 'k' && ctrlKey !== metaKey && !altKey && !shiftKey
}
