import { readSaved, save } from '../ui/saved.ts'
import { createStore } from '../ui/store.ts'

const KEY = 'kre-shortcuts'

/** Whether keys without control lead somewhere: who speaks to the computer turns them off. */
export const hasShortcuts = createStore(readSaved(KEY) !== 'off')

export function setShortcuts(isOn: boolean): void {
  save(KEY, isOn ? 'on' : 'off')
  hasShortcuts.set(isOn)
}
