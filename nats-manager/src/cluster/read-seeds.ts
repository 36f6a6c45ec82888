import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { type HolderKind, keyPairFromBytes, keyPairFromSeed } from '../keys/nkey.ts'
import type { ServerKeys } from '../server/server-keys.ts'

const KINDS: Readonly<Record<keyof ServerKeys, HolderKind>> = {
  operator: 'operator',
  system: 'account',
  engine: 'account',
}

/**
 * The keys of a NATS cluster, from a folder with a file for each. A file holds a seed as NATS writes it (`SO…`, `SA…`),
 * or 32 random bytes in base64, which is all that a Helm template can make.
 *
 * @throws KreError `failed-precondition` for a file that is missing or holds neither; the message shows nothing of it.
 */
export async function readSeeds(dir: string): Promise<ServerKeys> {
  const [operator, system, engine] = await Promise.all([
    readSeed(dir, 'operator'),
    readSeed(dir, 'system'),
    readSeed(dir, 'engine'),
  ])
  return { operator, system, engine }
}

async function readSeed(dir: string, name: keyof ServerKeys): Promise<string> {
  const path = join(dir, name)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw unusable(path, `can't be read (${error.code ?? error.message})`, error)
  })
  return seedOf(KINDS[name], text.trim(), path)
}

function seedOf(kind: HolderKind, text: string, path: string): string {
  if (/^[A-Za-z0-9+/]{43}=$/.test(text))
    return keyPairFromBytes(kind, Buffer.from(text, 'base64')).seed
  try {
    return keyPairFromSeed(kind, text).seed
  } catch (error) {
    throw unusable(path, `is neither a seed of a NATS ${kind} nor 32 bytes in base64`, error)
  }
}

function unusable(path: string, problem: string, cause: unknown): KreError {
  return new KreError(
    'failed-precondition',
    `the key of the NATS cluster in ${path} ${problem}: put back the Secret that the cluster was installed with, because its streams belong to these keys`,
    {},
    { cause },
  )
}
