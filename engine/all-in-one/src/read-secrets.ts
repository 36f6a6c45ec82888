import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Secrets = { pepper: Buffer; bootstrapToken: string }

/** Made once per data folder, and again when they are damaged; readable by their owner alone. */
export async function readSecrets(dataDir: string): Promise<Secrets> {
  const read = async (name: string) => {
    const file = join(dataDir, name)
    const found = (await readFile(file, 'utf8').catch(() => '')).trim()
    if (/^[\w-]{43,}$/.test(found)) return found
    const made = randomBytes(32).toString('base64url')
    await writeFile(file, `${made}\n`, { mode: 0o600 })
    return made
  }
  return {
    pepper: Buffer.from(await read('pepper'), 'base64url'),
    bootstrapToken: await read('token'),
  }
}
