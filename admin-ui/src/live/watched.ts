import { createStore } from '../ui/store.ts'

/** A page that nobody sees gives its streams back after so long: a login has only so many, in ms. */
const RELEASE_MS = 30_000

/** Whether somebody may be looking at this tab. */
export const watched = createStore(true)

let timer: ReturnType<typeof setTimeout> | undefined
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer)
  if (document.visibilityState === 'visible') watched.set(true)
  else timer = setTimeout(() => watched.set(false), RELEASE_MS)
})
