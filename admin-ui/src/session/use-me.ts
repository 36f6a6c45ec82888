import { useStore } from '../ui/store.ts'
import { session, type SignedIn } from './session.ts'

/** Who is signed in. Views exist for signed-in people only. */
export function useMe(): SignedIn {
  const state = useStore(session)
  if (state.kind !== 'in') throw new Error('this view is for people who are signed in')
  return state.me
}
