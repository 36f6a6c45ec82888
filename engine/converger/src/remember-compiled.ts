/**
 * A compiler that does not compile again what it has just compiled. A start makes a dozen passes over its runtime within
 * seconds, and each needs the workloads of all versions that run there, of which one has changed.
 */
import { SECOND_MS } from '@kre/contracts'
import type { CompileOne, CompileSettings, CompileVersion } from './compile.ts'

/** Since it was asked for last. Shorter than the time between passes in which nothing happens: those leave no memory behind. */
const KEEP_MS = 10 * SECOND_MS

type Compiled = {
  readonly version: CompileVersion
  readonly settings: CompileSettings
  readonly result: ReturnType<CompileOne>
  readonly usedAt: number
}

/** @param now ms of a clock that is never set back. */
export function rememberCompiled(
  compileOne: CompileOne,
  now: () => number = () => performance.now(),
): CompileOne {
  /** The one that was asked for last is the last one. */
  const known = new Map<string, Compiled>()
  return (runtimeId, version, settings) => {
    const key = `${runtimeId}/${version.name}`
    const before = known.get(key)
    const isSame =
      before?.settings === settings &&
      now() - before.usedAt <= KEEP_MS &&
      isSameVersion(before.version, version)
    const result = isSame ? before.result : compileOne(runtimeId, version, settings)
    known.delete(key)
    known.set(key, { version, settings, result, usedAt: now() })
    for (const [oldest, { usedAt }] of known) {
      if (now() - usedAt <= KEEP_MS) break
      known.delete(oldest)
    }
    return result
  }
}

/** All that a version is compiled from. Facts that were read once more are compared by their bundle. */
function isSameVersion(a: CompileVersion, b: CompileVersion): boolean {
  return (
    a.id === b.id &&
    a.bundleDigest === b.bundleDigest &&
    a.unreadable === b.unreadable &&
    a.config.length === b.config.length &&
    a.config.every((entry, index) => {
      const other = b.config[index]
      return entry.key === other?.key && entry.type === other.type && entry.value === other.value
    })
  )
}
