/** Places for the book of accounts: a file on a laptop; on a cluster NATS itself, where every engine finds it. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { jetstream } from '@nats-io/jetstream'
import { Kvm, type KV } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { ACCOUNTS_BUCKET, KreError, MiB } from '@kre/contracts'
import type { BookPage } from './account-book.ts'

/** A file of mode 0600. @param file whose folder exists. */
export function filePage(file: string): BookPage {
  const ifThere = <T>(found: Promise<T>) =>
    found.catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
  // Each text is a file of its own, put into the place of the one before it.
  const revision = async () => {
    const found = await ifThere(stat(file, { bigint: true }))
    return found === null ? null : `${found.ino}.${found.mtimeNs}.${found.size}`
  }
  return {
    name: file,
    revision,
    async read() {
      for (;;) {
        const before = await revision()
        const text = await ifThere(readFile(file, 'utf8'))
        if ((await revision()) !== before) continue
        return text === null || before === null ? null : { text, revision: before }
      }
    },
    async write(text) {
      await writeFile(`${file}.new`, text, { mode: 0o600 })
      await rename(`${file}.new`, file)
      return (await revision()) ?? ''
    },
  }
}

const KEY = 'book'
/** Accounts of some thousand versions; the server must take it in one message. */
const BYTES_MAX = 4 * MiB
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * An entry of a bucket in the engine's account, encrypted: who reads the server's disk can make no users.
 *
 * @param nats the engine's own connection.
 * @param secret from which the key is made; the same for all engines.
 */
export function bucketPage(nats: NatsConnection, secret: string, replicas: number): BookPage {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'kre account book', 32))
  const name = `the entry "${KEY}" of bucket ${ACCOUNTS_BUCKET} in NATS`
  // Its first writer makes it.
  let opened: Promise<KV> | null = null
  const client = jetstream(nats, { checkAPI: false })
  const open = async () => {
    opened ??= new Kvm(client).create(ACCOUNTS_BUCKET, {
      history: 1,
      replicas,
      maxValueSize: BYTES_MAX,
    })
    return opened.catch((error: unknown) => {
      opened = null
      throw error
    })
  }
  return {
    name,
    async revision() {
      await open()
      const manager = await client.jetstreamManager()
      // Nothing else is in the bucket.
      const { state } = await manager.streams.info(`KV_${ACCOUNTS_BUCKET}`)
      return state.last_seq === 0 ? null : String(state.last_seq)
    },
    async read() {
      const entry = await (await open()).get(KEY)
      if (entry?.operation !== 'PUT') return null
      return { text: decrypt(entry.value, key, name), revision: String(entry.revision) }
    },
    async write(text, before) {
      const bucket = await open()
      const data = encrypt(text, key)
      // Another engine that leads by now has written since: it knows more.
      const revision =
        before === null
          ? await bucket.create(KEY, data)
          : await bucket.update(KEY, data, Number(before))
      return String(revision)
    },
  }
}

function encrypt(text: string, key: Buffer): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

/** @throws KreError `failed-precondition` for what was written with another secret. */
function decrypt(data: Uint8Array, key: Buffer, name: string): string {
  const bytes = Buffer.from(data)
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
    cipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    return (
      cipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') +
      cipher.final('utf8')
    )
  } catch (error) {
    throw new KreError(
      'failed-precondition',
      `${name} was written with other keys than those of KRE_NATS_KEYS_FILE: give the engine the file that it had before`,
      {},
      { cause: error },
    )
  }
}
