import { KreError, SECOND_MS } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import type { RuntimeAction } from './policy.ts'

/** How long bytes flow on after their sender or reader has lost the right to it. */
const RECHECK_MS = SECOND_MS / 2

type Deps = Pick<FeatureDeps, 'currentPrincipal'>
/** What somebody does on a runtime. */
export type Deed = {
  readonly principal: Principal
  readonly action: RuntimeAction
  readonly runtimeId: string
}

/**
 * For what has taken long: what counts are the rights of now.
 *
 * @throws KreError `unauthenticated` when the login or token is over, and as `authorize`.
 */
export async function authorizeAgain(deps: Deps, deed: Deed): Promise<void> {
  const { principal, action, runtimeId } = deed
  const current = await deps.currentPrincipal(principal)
  if (current === null)
    throw new KreError(
      'unauthenticated',
      'your login or token ended meanwhile: sign in, and try again',
    )
  authorize(current, action, runtimeId)
}

/**
 * Passes on what is sent or read for a long time, as long as the caller may do it.
 *
 * @param everyMs how often that is looked at; 0 = for each item but the first.
 * @throws as `authorizeAgain`, and what `items` throws.
 */
export async function* whileAllowed<T>(
  deps: Deps,
  deed: Deed,
  items: AsyncIterable<T>,
  everyMs = RECHECK_MS,
): AsyncGenerator<T, void> {
  let lookedAtMs: number | null = null
  for await (const item of items) {
    if (lookedAtMs !== null && performance.now() - lookedAtMs >= everyMs) {
      await authorizeAgain(deps, deed)
      lookedAtMs = performance.now()
    }
    lookedAtMs ??= performance.now()
    yield item
  }
}
