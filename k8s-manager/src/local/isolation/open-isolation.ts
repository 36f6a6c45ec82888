import { KreError } from '@kre/contracts'
import { type IsolationVerdict, probeIsolation } from '@kre/service-kit/isolation'
import type { Logger } from '@kre/service-kit'
import type { LocalSettings } from '../settings.ts'
import { warmCodeCache } from './code-cache.ts'
import type { Isolation } from './isolate-launch.ts'

/**
 * Finds out at the first call how nodes can be kept apart from the engine and from each other here, and says so in the
 * log.
 *
 * @returns a function that gives null where they can't be or shall not be.
 * @throws KreError (the function) `failed-precondition` when they must be and can't.
 */
export function openIsolation(options: {
  mode: LocalSettings['isolation']
  dataDir: string
  /** For compiled code of runners. */
  codeDir: string
  /** The engine's own. */
  environment: Readonly<Record<string, string | undefined>>
  /** What processes get of it. */
  env: Readonly<Record<string, string>>
  /** How a node's runner is started; null = another program, whose code is not kept. */
  runner: readonly string[] | null
  logger: Logger
}): () => Promise<Isolation | null> {
  const { mode, dataDir, codeDir, env, runner, logger } = options
  let found: Promise<Isolation | null> | null = null
  const find = async (): Promise<Isolation | null> => {
    if (mode === 'off') {
      logger.warn('nodes are not isolated: KRE_ISOLATION is off')
      return null
    }
    const verdict = await probeIsolation(options.environment)
    report(verdict, mode, logger)
    if (verdict.kind === 'none') return null
    const codeCache = runner === null ? null : await warmCodeCache(codeDir, runner, env)
    return { kind: verdict.kind, dataDir, codeCache }
  }
  return async () => {
    const isolation = await (found ??= find())
    if (isolation === null && mode === 'required') {
      // It may be possible next time: somebody installs what is missing.
      found = null
      throw new KreError(
        'failed-precondition',
        'nodes can not be isolated on this computer, and KRE_ISOLATION=required: "krectl doctor" says why',
      )
    }
    return isolation
  }
}

function report(verdict: IsolationVerdict, mode: string, logger: Logger): void {
  if (verdict.kind !== 'none') {
    logger.info({ isolation: verdict.kind, notEnforced: verdict.notEnforced }, 'nodes are isolated')
    return
  }
  logger.warn(
    { isolation: 'none', mode, why: verdict.why },
    "nodes are not isolated: they run as the engine's user and can read what it can; run only bundles that you trust",
  )
}
