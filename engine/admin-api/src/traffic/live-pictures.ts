import { SECOND_MS } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import type { LiveTraffic } from './create-observer.ts'
import type { Traffic } from './read-traffic.ts'
import { sumTraffic } from './sum-traffic.ts'

/** A picture is the sum of so long: steady for the eye, and new enough. */
const WINDOW_MS = 5 * SECOND_MS

/** The traffic of a version's last seconds; null where this process collects no metrics. */
export type LivePicture = ((runtimeId: string, version: string) => Traffic) | null

/** However many watch a version: its picture is made once a second. */
export function createLivePictures({
  liveTraffic,
  now,
}: Pick<FeatureDeps, 'liveTraffic' | 'now'>): LivePicture {
  if (liveTraffic === null) return null
  let ofMs = 0
  const pictures = new Map<string, Traffic>()

  return function picture(runtimeId, version) {
    const toMs = Math.floor(now().getTime() / SECOND_MS) * SECOND_MS
    if (toMs !== ofMs) pictures.clear()
    ofMs = toMs
    const key = JSON.stringify([runtimeId, version])
    const made = pictures.get(key) ?? draw(liveTraffic, runtimeId, version, toMs)
    pictures.set(key, made)
    return made
  }
}

function draw(live: LiveTraffic, runtimeId: string, version: string, toMs: number): Traffic {
  return {
    from: new Date(toMs - WINDOW_MS),
    to: new Date(toMs),
    stepMs: WINDOW_MS,
    series: sumTraffic(live(runtimeId, version, WINDOW_MS), null),
  }
}
