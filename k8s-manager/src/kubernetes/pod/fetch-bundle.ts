/**
 * A bundle as NATS keeps it for pods: numbered parts of the archive, then of the descriptors of its protos and of its code
 * without types. A pod may read the parts of its own bundle and nothing else, and no engine has to be there for it.
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  bundlePart,
  BUNDLES_STREAM,
  type BundleContents,
  KreError,
  readBundleContents,
  SECOND_MS,
} from '@kre/contracts/pod'

export type PartSource = {
  /** @returns with the status of its headers, 0 = none. @throws KreError when nobody answers in time. */
  request(
    subject: string,
    data: string,
    timeoutMs: number,
  ): Promise<{ readonly data: Uint8Array; readonly status: number }>
}

const PART_TIMEOUT_MS = 10 * SECOND_MS
/** A server that restarts, or elects a leader, is back by then. */
const TRIES = 5
const TRY_PAUSE_MS = SECOND_MS
/** Parts asked for at once: enough to fill a network, few enough for memory. */
const PARTS_UNDER_WAY = 4
const NOT_FOUND = 404

/**
 * @param digest of the archive.
 * @param archivePath file that gets it.
 * @param hasCode whether the code without types is wanted.
 * @throws KreError `not-found` for a bundle that is not there, `unavailable`, `failed-precondition` `DIGEST_MISMATCH`.
 */
export async function fetchBundle(
  source: PartSource,
  digest: string,
  archivePath: string,
  hasCode: boolean,
  signal: AbortSignal,
): Promise<{ descriptors: Buffer; code: Buffer }> {
  const read = async (part: string | number) =>
    readPart(source, `$JS.API.DIRECT.GET.${BUNDLES_STREAM}.${bundlePart(digest, part)}`, signal)
  const contents = await readContents(read, digest)
  const hash = createHash('sha256')
  const archive = async function* () {
    for await (const part of inOrder(0, contents.archiveParts, read)) {
      hash.update(part)
      yield part
    }
  }
  await pipeline(archive, createWriteStream(archivePath, { mode: 0o600 }), { signal })
  const found = hash.digest('hex')
  if (found !== digest.replace(/^sha256:/, ''))
    throw new KreError(
      'failed-precondition',
      `DIGEST_MISMATCH: NATS has a bundle with digest ${found} in place of ${digest}: start the version again, so that the engine brings it anew`,
    )
  const { archiveParts, descriptorParts, codeParts = 0 } = contents
  const codeAt = archiveParts + descriptorParts
  return {
    descriptors: await whole(inOrder(archiveParts, codeAt, read)),
    code: await whole(inOrder(codeAt, hasCode ? codeAt + codeParts : codeAt, read)),
  }
}

async function whole(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = []
  for await (const part of parts) found.push(part)
  return Buffer.concat(found)
}

async function readContents(
  read: (part: string) => Promise<Uint8Array | null>,
  digest: string,
): Promise<BundleContents> {
  const found = await read('contents')
  if (found !== null) return readBundleContents(found)
  throw new KreError(
    'not-found',
    `the bundle ${digest} is not in NATS: an engine puts it there when the version starts, and again once a minute. See that one runs`,
  )
}

/** A few at once, handed on one after the other. @throws KreError `not-found` when one is gone. */
async function* inOrder(
  from: number,
  to: number,
  read: (part: number) => Promise<Uint8Array | null>,
): AsyncGenerator<Uint8Array> {
  const underWay: Promise<Uint8Array | null>[] = []
  let next = from
  const fill = () => {
    while (next < to && underWay.length < PARTS_UNDER_WAY) {
      const reading = read(next++)
      // Told to its reader, in its turn.
      reading.catch(() => undefined)
      underWay.push(reading)
    }
  }
  fill()
  for (let part = underWay.shift(); part !== undefined; part = underWay.shift()) {
    const data = await part
    if (data === null)
      throw new KreError('not-found', 'a part of the bundle is gone from NATS: it is tried again')
    yield data
    fill()
  }
}

/** @returns null when there is none. */
async function readPart(
  source: PartSource,
  subject: string,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted()
    try {
      const { data, status } = await source.request(subject, '', PART_TIMEOUT_MS)
      if (status === NOT_FOUND) return null
      if (status === 0) return data
      throw new Error(`status ${status}`)
    } catch (error) {
      if (tries >= TRIES)
        throw new KreError(
          'unavailable',
          `NATS does not give the bundle: ${error instanceof Error ? error.message : String(error)}`,
          {},
          { cause: error },
        )
    }
    await sleep(TRY_PAUSE_MS * tries, undefined, { signal })
  }
}
