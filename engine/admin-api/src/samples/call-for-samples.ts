import { controlSubject, SAMPLE_CALL_MS, type SampleCall } from '@kre/contracts'
import type { Store } from '@kre/store'

/**
 * Asks the nodes of all versions that somebody wants samples of; called every `SAMPLE_CALL_EVERY_MS`. Who was asked
 * before and is not any more ends by itself.
 *
 * @param deps.publish to the nodes of a version.
 */
export async function callForSamples(deps: {
  samples: Pick<Store['samples'], 'samplings'>
  publish: (subject: string, data: Uint8Array) => void
  now: () => Date
}): Promise<void> {
  const nowMs = deps.now().getTime()
  for (const { runtimeId, version, until } of await deps.samples.samplings(deps.now())) {
    const call: SampleCall = { forMs: Math.min(SAMPLE_CALL_MS, until.getTime() - nowMs) }
    deps.publish(
      controlSubject({ runtimeId, version }, 'sample'),
      Buffer.from(JSON.stringify(call)),
    )
  }
}
