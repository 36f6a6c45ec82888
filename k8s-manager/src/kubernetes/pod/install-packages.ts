/** Python packages of a bundle's `requirements.txt`, in a folder of the pod's own. */
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError, toKreError } from '@kre/contracts/pod'
import { PROTOBUF_RANGE, runTool } from '../../local/python-environment.ts'

export type InstallDeps = {
  /** Name or path of the image's interpreter. */
  python: string
  /** With `PIP_INDEX_URL` where the operator has named an index. */
  env: Readonly<Record<string, string>>
  signal: AbortSignal
}

const INSTALL =
  '-m pip install --no-input --disable-pip-version-check --no-cache-dir --progress-bar off'

/**
 * What the image has already is used as it is, and nothing is asked of any index. Else packages come from the index that
 * the operator has named, and from no other one.
 *
 * @param files the unpacked bundle.
 * @param folder gets the packages; what was in it goes.
 * @returns the folder, or null when the image has everything.
 * @throws KreError `failed-precondition` with pip's last lines and what to do.
 */
export async function installPackages(
  { python, env, signal }: InstallDeps,
  files: string,
  folder: string,
): Promise<string | null> {
  const requirements = join(files, 'requirements.txt')
  if (!existsSync(requirements)) return null
  await rm(folder, { recursive: true, force: true })
  const pip = async (args: readonly string[]) =>
    runTool(
      { env, signal },
      files,
      python,
      [...INSTALL.split(' '), ...args, '-r', requirements],
      () => undefined,
    )
  try {
    await pip(['--dry-run', '--no-index'])
    return null
  } catch (error) {
    signal.throwIfAborted()
    if (env['PIP_INDEX_URL'] === undefined) throw noIndex(error)
  }
  await mkdir(folder, { recursive: true })
  await pip(['--target', folder, PROTOBUF_RANGE])
  return folder
}

function noIndex(error: unknown): KreError {
  return new KreError(
    'failed-precondition',
    `${toKreError(error).message}\nThe image has not all of them, and pods have no index of packages: name one (python.indexUrl, network.packages), or give the node an image that has them (images.byName)`,
    {},
    { cause: error },
  )
}
