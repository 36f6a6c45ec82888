import { readSaved, save } from './saved.ts'
import { createStore } from './store.ts'

export type Theme = 'system' | 'light' | 'dark'

const THEME_KEY = 'kre-theme'
const prefersDark = matchMedia('(prefers-color-scheme: dark)')

export const theme = createStore<Theme>(readTheme())

function readTheme(): Theme {
  const saved = readSaved(THEME_KEY)
  return saved === 'light' || saved === 'dark' ? saved : 'system'
}

/** Keeps the page in the chosen theme, or in the system's. */
export function followTheme(): void {
  const apply = (): void => {
    const chosen = theme.get()
    const shown = chosen === 'system' ? (prefersDark.matches ? 'dark' : 'light') : chosen
    document.documentElement.dataset['theme'] = shown
  }
  apply()
  theme.subscribe(apply)
  prefersDark.addEventListener('change', apply)
}

export function setTheme(next: Theme): void {
  save(THEME_KEY, next)
  theme.set(next)
}
