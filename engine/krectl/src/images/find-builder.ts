import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { KreError } from '@kre/contracts'
import { UsageError } from '../output/exit-code.ts'
import { BUILDERS, type Builder } from './build-calls.ts'

/**
 * @param wanted null = the first one on the PATH: podman, buildah, docker.
 * @throws UsageError for a name that is none; KreError `failed-precondition` where there is none at all.
 */
export async function findBuilder(wanted: string | null, path: string): Promise<Builder> {
  if (wanted !== null) {
    const builder = BUILDERS.find((name) => name === wanted)
    if (builder !== undefined) return builder
    throw new UsageError(`--engine is one of ${BUILDERS.join(', ')}, not "${wanted}"`)
  }
  for (const builder of BUILDERS) if (await isOnPath(builder, path)) return builder
  throw new KreError(
    'failed-precondition',
    `none of ${BUILDERS.join(', ')} is on the PATH, and images are built by one of them: install podman`,
  )
}

async function isOnPath(program: string, path: string): Promise<boolean> {
  const places = path.split(delimiter).filter((folder) => folder !== '')
  const found = await Promise.all(
    places.map(async (folder) =>
      access(join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.includes(true)
}
