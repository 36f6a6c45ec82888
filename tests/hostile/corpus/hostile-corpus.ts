import { HOSTILE_ARCHIVES } from './archives.ts'
import { HOSTILE_CONTENTS } from './contents.ts'
import type { HostileInput } from './hostile-input.ts'
import { HOSTILE_MANIFESTS } from './manifests.ts'
import { HOSTILE_PATHS } from './paths.ts'
import { HOSTILE_PROTOS } from './protos.ts'

/** Everything that a stranger may upload and that must be refused, in a fixed order. */
export const HOSTILE_CORPUS: readonly HostileInput[] = [
  ...HOSTILE_PATHS,
  ...HOSTILE_ARCHIVES,
  ...HOSTILE_MANIFESTS,
  ...HOSTILE_PROTOS,
  ...HOSTILE_CONTENTS,
]
