/** Requests that were written on this page, so that who looks elsewhere finds them again. Gone with the page. */
import type { RequestDraft } from './request-draft.ts'

const DRAFTS_MAX = 20

export type DraftPlace = {
  readonly runtimeId: string
  readonly versionName: string
  /** The rpc's workflow; its name, where it has none. */
  readonly workflow: string
}

/** The one that was written last is the last. */
const drafts = new Map<string, RequestDraft>()
const keyOf = ({ runtimeId, versionName, workflow }: DraftPlace): string =>
  JSON.stringify([runtimeId, versionName, workflow])

export function keepDraft(place: DraftPlace, draft: RequestDraft): void {
  const key = keyOf(place)
  drafts.delete(key)
  drafts.set(key, draft)
  const [oldest] = drafts.keys()
  if (drafts.size > DRAFTS_MAX && oldest !== undefined) drafts.delete(oldest)
}

export function findDraft(place: DraftPlace): RequestDraft | undefined {
  return drafts.get(keyOf(place))
}
