import { createStore } from '../ui/store.ts'

/** What lies over the page, if anything does. */
export const openedTool = createStore<'palette' | 'help' | null>(null)
export const openPalette = (): void => openedTool.set('palette')
export const openHelp = (): void => openedTool.set('help')
export const closeTool = (): void => openedTool.set(null)
