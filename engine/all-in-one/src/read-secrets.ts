import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError, toKreError } from '@kre/contracts'

export type Secrets = { pepper: Buffer; bootstrapToken: string }

/** 256 bits, in base64url. */
const SECRET_TEXT = /^[\w-]{43,4096}$/

/**
 * Made once per data folder, and again when they are damaged; readable by their owner alone. Those that somebody gives
 * are read and never made.
 *
 * @param given paths of files; null = in the data folder.
 * @throws KreError `failed-precondition` for a given file that holds no secret.
 */
export async function readSecrets(
  dataDir: string,
  given: { readonly pepper: string | null; readonly token: string | null } = {
    pepper: null,
    token: null,
  },
): Promise<Secrets> {
  const make = async (name: string) => {
    const file = join(dataDir, name)
    const found = (await readFile(file, 'utf8').catch(() => '')).trim()
    if (SECRET_TEXT.test(found)) return found
    const made = randomBytes(32).toString('base64url')
    await writeFile(file, `${made}\n`, { mode: 0o600 })
    return made
  }
  const read = async (name: 'pepper' | 'token') => {
    const path = given[name]
    return path === null ? make(name) : readGiven(path, `KRE_${name.toUpperCase()}_FILE`)
  }
  return {
    pepper: Buffer.from(await read('pepper'), 'base64url'),
    bootstrapToken: await read('token'),
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
