/** The file that holds the master keys: read strictly, written so that a crash leaves the old or the new content. */
import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KiB, KreError } from '@kre/contracts'
import { formatMasterKeys, type MasterKeys, parseMasterKeys } from './master-keys.ts'

const FILE_BYTES_MAX = 64 * KiB
const OTHERS = 0o007
const GROUP_WRITES = 0o020

/**
 * @returns null when there is no such file.
 * @throws KreError `failed-precondition`: readable by others, damaged, not readable; says how to recover.
 */
export async function readMasterKeyFile(path: string): Promise<MasterKeys | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw refused(path, `it can't be read (${error.message})`, 'let its owner read it', error)
  })
  if (file === null) return null
  try {
    const found = await file.stat()
    if (!found.isFile()) throw refused(path, 'it is no file', 'name the file itself')
    const { mode, size } = found
    // A group may read it, because that is how Kubernetes mounts secrets.
    if ((mode & (OTHERS | GROUP_WRITES)) !== 0)
      throw refused(
        path,
        `others may use it (mode ${(mode & 0o777).toString(8)})`,
        `run "chmod 600 ${path}", and "krectl keys rotate" if somebody may have read it`,
      )
    if (size > FILE_BYTES_MAX)
      throw refused(path, `it has ${size} bytes`, 'put back a copy of the key file')
    return parseMasterKeys(await file.readFile('utf8'), path)
  } finally {
    await file.close()
  }
}

/** Mode 0600; on the disk when it returns. */
export async function writeMasterKeyFile(path: string, keys: MasterKeys): Promise<void> {
  const draft = `${path}.${randomUUID().slice(0, 8)}`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(formatMasterKeys(keys))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    const why = error instanceof Error ? error.message : String(error)
    throw refused(path, `it can't be written (${why})`, 'make its folder writable', error)
  }
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function refused(path: string, problem: string, advice: string, cause?: unknown): KreError {
  return new KreError(
    'failed-precondition',
    `the master key in ${path}: ${problem}; ${advice}`,
    { reason: 'MASTER_KEY_INVALID' },
    cause === undefined ? undefined : { cause },
  )
}
