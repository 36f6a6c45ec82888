import { ApiError, toApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { send, setOnSignedOut } from '../api/send.ts'
import { queries } from '../api/use-query.ts'
import { Me, type MeResult } from '../gen/documents.ts'
import { setLiveListeners } from '../live/socket.ts'
import { watched } from '../live/watched.ts'
import { createStore } from '../ui/store.ts'

export type SignedIn = NonNullable<MeResult['me']>

/**
 * Who uses this tab. `isOver`: the login ended while somebody was at work; what is on the page stays there, and a
 * dialog over it leads back in.
 */
export type Session =
  | { readonly kind: 'loading' }
  | { readonly kind: 'out' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'in'; readonly me: SignedIn; readonly isOver: boolean }

export const session = createStore<Session>({ kind: 'loading' })

/** Asks the engine who this is: at the start, after a sign-in, and whenever the connection broke. */
export async function checkSession(): Promise<void> {
  try {
    const { me } = await runOperation(Me, {})
    if (me === null) throw new ApiError('UNAUTHORIZED', '')
    const before = session.get()
    session.set({ kind: 'in', me, isOver: false })
    if (before.kind === 'in' && (before.isOver || before.me.email !== me.email))
      await queries.refreshAll()
  } catch (error) {
    const { code } = toApiError(error)
    const before = session.get()
    if (code === 'UNREACHABLE') {
      // Who is at work keeps the page: the banner says that it is old.
      if (before.kind !== 'in') session.set({ kind: 'unreachable' })
    } else signedOut()
  }
}

/** Ends the login, and forgets what was read with it. */
export async function signOut(): Promise<void> {
  await send('api/v1/auth/logout', { method: 'POST', headers: { 'x-kre-csrf': '1' } })
  session.set({ kind: 'out' })
  queries.clear()
}

async function checkAndRefresh(): Promise<void> {
  if (session.get().kind !== 'in') return
  await checkSession()
  await queries.refreshAll()
}

function signedOut(): void {
  session.update((before) => (before.kind === 'in' ? { ...before, isOver: true } : { kind: 'out' }))
}

// What happened while nobody looked was not told.
watched.subscribe(() => void (watched.get() && checkAndRefresh()))
setOnSignedOut(signedOut)
setLiveListeners({
  onLost: () => void checkSession(),
  onReturn: () => void queries.refreshAll(),
})
