import { createHash } from 'node:crypto'
import type { PlacementStore } from '@kre/store'

/**
 * The same placements, of which one that is as this engine has written it is not written again: each write waits for
 * the disk, and a hundred runtimes are looked at every few seconds.
 *
 * @param onWritten told the runtime.
 */
export function writeChanges(
  placements: PlacementStore,
  onWritten: (runtimeId: string) => void = () => undefined,
): PlacementStore {
  /** By runtime, without the moment: a digest of what was written last. */
  const written = new Map<string, string>()
  return {
    get: (runtimeId) => placements.get(runtimeId),
    async put(placement, token) {
      const { runtimeId } = placement
      const look = digestOf(JSON.stringify({ ...placement, observedAt: null }))
      // It may have gone meanwhile, with a runtime of the same id.
      if (written.get(runtimeId) === look && (await placements.get(runtimeId)) !== null) return
      // Nobody knows what is there when the write fails.
      written.delete(runtimeId)
      await placements.put(placement, token)
      written.set(runtimeId, look)
      onWritten(runtimeId)
    },
    async remove(runtimeId) {
      written.delete(runtimeId)
      await placements.remove(runtimeId)
    },
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
