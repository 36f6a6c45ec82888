import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findOtherPepper, type PepperStore } from '@kre/admin-api'
import { KreError, toKreError } from '@kre/contracts'

export type Secrets = { pepper: Buffer; bootstrapToken: string }

/** 256 bits, in base64url. */
const SECRET_TEXT = /^[\w-]{43,4096}$/

export type GivenSecrets = { readonly pepper: string | null; readonly token: string | null }

/**
 * Made once per data folder; readable by their owner alone. Those that somebody gives are read and never made. A token
 * that is gone is made anew; a pepper only for a store without an audit log: another one would end every login and
 * token, and make the log look as if somebody had changed it.
 *
 * @param deps.given paths of files; null = in the data folder.
 * @throws KreError `failed-precondition` for a file that holds no secret, or a pepper that is not the log's.
 */
export async function readSecrets(deps: {
  dataDir: string
  given: GivenSecrets
  audit: PepperStore
}): Promise<Secrets> {
  const { dataDir, given, audit } = deps
  const path = given.pepper ?? join(dataDir, 'pepper')
  const present = await readPepper(path, given)
  if (present.secret === null && (await audit.newest()) !== null)
    throw new KreError(
      'failed-precondition',
      `the pepper ${path} ${present.isThere ? 'is damaged' : 'is gone'}, and the audit log and the hashes of all tokens need it: ${RECOVER}`,
    )
  const pepper = Buffer.from(present.secret ?? (await makeSecret(path)), 'base64url')
  const other = await findOtherPepper(audit, pepper)
  if (other !== null)
    throw new KreError(
      'failed-precondition',
      `the pepper ${path} (key ${other.own}) is not the one that the audit log and the hashes of all tokens were made with (key ${other.needed}): ${RECOVER}`,
    )
  return { pepper, bootstrapToken: await readToken(dataDir, given.token) }
}

/**
 * The pepper from now on, and why: `kept` when it is the audit log's, `made` when there was none that could be read,
 * `taken` when it is another one than the log's. What can't be read is put aside as `pepper.damaged`.
 */
export async function resetPepper(deps: {
  dataDir: string
  given: GivenSecrets
  audit: PepperStore
}): Promise<{ pepper: Buffer; became: 'kept' | 'made' | 'taken' }> {
  const { dataDir, given, audit } = deps
  const path = given.pepper ?? join(dataDir, 'pepper')
  const present = await readPepper(path, given)
  if (present.secret !== null) {
    const pepper = Buffer.from(present.secret, 'base64url')
    return { pepper, became: (await findOtherPepper(audit, pepper)) === null ? 'kept' : 'taken' }
  }
  if (present.isThere) await rename(path, `${path}.damaged`)
  return { pepper: Buffer.from(await makeSecret(path), 'base64url'), became: 'made' }
}

const RECOVER =
  'put back a copy of the file, or start the engine on the data folder that has worked on this store; without either, "krectl keys reset" goes on with a new one: every login and API token ends then, and the audit log can be checked from there on alone'

/** @throws KreError `failed-precondition` for a given file that holds no secret. */
async function readPepper(path: string, given: GivenSecrets): ReturnType<typeof readOwn> {
  if (given.pepper === null) return readOwn(path)
  return { secret: await readGiven(path, 'KRE_PEPPER_FILE'), isThere: true }
}

async function readToken(dataDir: string, given: string | null): Promise<string> {
  if (given !== null) return readGiven(given, 'KRE_TOKEN_FILE')
  const path = join(dataDir, 'token')
  const { secret, isThere } = await readOwn(path)
  if (secret !== null) return secret
  if (isThere) await rm(path)
  return makeSecret(path)
}

async function readOwn(path: string): Promise<{ secret: string | null; isThere: boolean }> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    return { secret: SECRET_TEXT.test(text) ? text : null, isThere: true }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { secret: null, isThere: false }
  }
}

/** Of several engines that start at once one makes it. */
async function makeSecret(path: string): Promise<string> {
  const made = randomBytes(32).toString('base64url')
  try {
    await writeFile(path, `${made}\n`, { mode: 0o600, flag: 'wx' })
    return made
  } catch (error) {
    const { secret } = await readOwn(path)
    if (secret === null) throw error
    return secret
  }
}

async function readGiven(path: string, variable: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const reason = toKreError(error).message
    throw new KreError(
      'failed-precondition',
      `${variable} can't be read: ${reason}`,
      {},
      { cause: error },
    )
  })
  if (SECRET_TEXT.test(text.trim())) return text.trim()
  throw new KreError(
    'failed-precondition',
    `${variable} (${path}) holds no secret: it has to be 43 or more characters of A-Z, a-z, 0-9, "-" and "_", made at random`,
  )
}
