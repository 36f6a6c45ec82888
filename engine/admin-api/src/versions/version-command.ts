import type { Principal } from '../principal.ts'

/** An operation on one version, as it arrives from an edge. */
export type VersionCommand = {
  readonly principal: Principal
  readonly runtimeId: string
  readonly versionName: string
  readonly comment: string
}
