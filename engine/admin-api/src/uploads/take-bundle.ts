import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { KreError, toKreError } from '@kre/contracts'
import type { UploadOutcome } from '@kre/store'
import { noteDone } from '../audit/request-scope.ts'
import type { FeatureDeps } from '../context.ts'
import type { Principal } from '../principal.ts'
import { createVersion, type CreateVersionResult } from '../versions/create-version.ts'

export type Bundle = {
  readonly principal: Principal
  readonly runtimeId: string
  /** The `.krt`, read no faster than the validator takes it. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Lower-case hexadecimal sha256 that the whole of it must have; null = nobody said. */
  readonly sha256: string | null
  /** Ends the work; nothing is left then. */
  readonly signal: AbortSignal
}

/**
 * Makes a version of a bundle that arrives. What stopped the chunks counts more than what the validator made of the rest.
 *
 * @throws KreError `invalid-argument` (`details.reason` `DIGEST_MISMATCH`), what `chunks` throws, and as `createVersion`.
 */
export async function takeBundle(deps: FeatureDeps, bundle: Bundle): Promise<UploadOutcome> {
  const { principal, runtimeId, sha256, signal } = bundle
  const source: { stopped: KreError | null } = { stopped: null }
  async function* watched(): AsyncGenerator<Uint8Array, void> {
    const hash = sha256 === null ? null : createHash('sha256')
    const chunks = bundle.chunks[Symbol.asyncIterator]()
    try {
      for (;;) {
        // A reader that has seen enough ends this at the yield: that is no failure of the source.
        const next = await chunks.next().catch((error: unknown) => {
          source.stopped = toKreError(error)
          throw error
        })
        if (next.done === true) break
        hash?.update(next.value)
        yield next.value
      }
      if (hash === null || hash.digest('hex') === sha256) return
      source.stopped = digestMismatch()
      throw source.stopped
    } finally {
      await chunks.return?.()
    }
  }
  const stream = Readable.from(watched(), { objectMode: false })
  // Whoever reads it hears of a failure; it must not end the process when the reader has turned away already.
  stream.on('error', () => undefined)
  try {
    const result = await createVersion(deps, { principal, runtimeId, stream, signal })
    if (source.stopped !== null && !result.ok) throw source.stopped
    if (result.ok) noteVersion(result)
    return toOutcome(result)
  } catch (error) {
    throw source.stopped ?? error
  } finally {
    stream.destroy()
  }
}

function toOutcome(result: CreateVersionResult): UploadOutcome {
  const { issues } = result
  if (!result.ok) return { kind: 'refused', issues }
  const { name: versionName, id: versionId } = result.version
  return { kind: 'version', versionName, versionId, created: result.created, issues }
}

function noteVersion({ created, version }: Extract<CreateVersionResult, { ok: true }>): void {
  const { id: versionId, name: versionName, bundleDigest: digest } = version
  noteDone({ versionId, after: { created, versionId, versionName, digest } })
}

export function digestMismatch(): KreError {
  return new KreError(
    'invalid-argument',
    'the bytes that arrived are not those whose sha256 was announced: the file changed meanwhile, or was damaged on its way. Send it again',
    { reason: 'DIGEST_MISMATCH' },
  )
}
