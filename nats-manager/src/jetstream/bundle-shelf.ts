/**
 * Bundles of versions that run, where pods get them from: also those that start while no engine is there. Each is under
 * subjects of its own, so that a version's account can be given its own bundle and no other one.
 */
import { createReadStream } from 'node:fs'
import {
  DiscardPolicy,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import {
  ALL_BUNDLE_CONTENTS,
  ALL_BUNDLE_PARTS,
  BUNDLE_PART_BYTES,
  bundlePart,
  BUNDLES_STREAM,
  type BundleContents,
  digestOfContents,
  GiB,
  HOUR_MS,
  readBundleContents,
  MINUTE_MS,
  SECOND_MS,
} from '@kre/contracts'
import { ignoreExisting, ignoreMissing } from './ignore-known.ts'
import { toKreError } from './to-kre-error.ts'

export type BundleShelf = {
  /** Puts the bundle there unless it is. @throws KreError `unavailable`, `resource-exhausted` when there is no room. */
  provide(digest: string): Promise<void>
  /** Removes all bundles but these, and those that were wanted within the hour. */
  keepOnly(digests: Iterable<string>): Promise<void>
}

export type ShelfSources = {
  /** Path of the canonical archive. */
  archive(digest: string): Promise<string>
  /** google.protobuf.FileDescriptorSet of its protos. */
  descriptorSet(digest: string): Promise<Uint8Array>
  /** Its code without types, by `writeStrippedCode`. */
  strippedCode(digest: string): Promise<Uint8Array>
}

/** Of all bundles together: a hundred large ones. */
const BYTES_MAX = 64 * GiB
/** Whether a bundle is there is asked again after this: somebody may have emptied the server's disk. */
const CHECK_MS = MINUTE_MS
/** A bundle that was wanted may be that of a version which nothing is seen of yet. */
const KEPT_MS = HOUR_MS
/** Parts that are under way at once. */
const PARTS_UNDER_WAY = 4
const ANSWER_TIMEOUT_MS = 10 * SECOND_MS
const NOT_FOUND = 404

/** @param options.now ms of a clock that is never set back. */
export function openBundleShelf(
  nats: NatsConnection,
  sources: ShelfSources,
  options: { replicas: number; now: () => number },
): BundleShelf {
  const { now } = options
  const js = jetstream(nats)
  /** These three by the subject of a bundle's contents. */
  const wantedAt = new Map<string, number>()
  const checkedAt = new Map<string, number>()
  const underWay = new Map<string, Promise<void>>()

  const isThere = async (digest: string): Promise<boolean> => {
    const subject = `$JS.API.DIRECT.GET.${BUNDLES_STREAM}.${bundlePart(digest, 'contents')}`
    const answer = await nats.request(subject, '', { timeout: ANSWER_TIMEOUT_MS })
    if (answer.headers?.code === NOT_FOUND) return false
    // One from before types were stripped here is put there anew: the same parts, and what comes behind them.
    return readBundleContents(answer.data).codeParts !== undefined
  }
  const makeStream = async () => {
    const manager = await jetstreamManager(nats, { checkAPI: false })
    await manager.streams
      .add({
        name: BUNDLES_STREAM,
        subjects: [ALL_BUNDLE_PARTS],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        // What pods may need is not dropped for what comes later.
        discard: DiscardPolicy.New,
        max_bytes: BYTES_MAX,
        max_msgs_per_subject: 1,
        num_replicas: options.replicas,
        // Parts are read by their subjects, without a consumer.
        allow_direct: true,
      })
      .catch(ignoreExisting)
    return manager
  }
  const put = async (digest: string) => {
    const stripping = sources.strippedCode(digest)
    // Told below, in its turn.
    stripping.catch(() => undefined)
    const archive = createReadStream(await sources.archive(digest), {
      highWaterMark: BUNDLE_PART_BYTES,
    })
    const archiveParts = await putParts(digest, 0, archive)
    const descriptors = Buffer.from(await sources.descriptorSet(digest))
    const codeAt = await putParts(digest, archiveParts, slices(descriptors))
    const end = await putParts(digest, codeAt, slices(Buffer.from(await stripping)))
    const descriptorParts = codeAt - archiveParts
    const contents: BundleContents = { archiveParts, descriptorParts, codeParts: end - codeAt }
    await js.publish(bundlePart(digest, 'contents'), JSON.stringify(contents))
  }
  /** @returns the number of the part that comes next. */
  const putParts = async (
    digest: string,
    from: number,
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<number> => {
    const sent: Promise<unknown>[] = []
    let next = from
    for await (const part of parts) {
      if (sent.length >= PARTS_UNDER_WAY) await sent.shift()
      const sending = js.publish(bundlePart(digest, next++), part)
      // Told below, in its turn.
      sending.catch(() => undefined)
      sent.push(sending)
    }
    await Promise.all(sent)
    return next
  }
  const ensure = async (digest: string) => {
    try {
      await makeStream()
      if (!(await isThere(digest))) await put(digest)
      checkedAt.set(bundlePart(digest, 'contents'), now())
    } catch (error) {
      throw toKreError(error)
    }
  }

  return {
    async provide(digest) {
      const subject = bundlePart(digest, 'contents')
      wantedAt.set(subject, now())
      if (now() - (checkedAt.get(subject) ?? -Infinity) < CHECK_MS) return
      let ensuring = underWay.get(subject)
      if (ensuring === undefined) {
        ensuring = ensure(digest).finally(() => underWay.delete(subject))
        underWay.set(subject, ensuring)
      }
      await ensuring
    },
    async keepOnly(digests) {
      const kept = new Set([...digests].map((digest) => bundlePart(digest, 'contents')))
      for (const [subject, at] of wantedAt)
        if (now() - at < KEPT_MS) kept.add(subject)
        else wantedAt.delete(subject)
      const manager = await jetstreamManager(nats, { checkAPI: false })
      const filter = { subjects_filter: ALL_BUNDLE_CONTENTS }
      const info = await manager.streams.info(BUNDLES_STREAM, filter).catch(ignoreMissing)
      for (const subject of Object.keys(info?.state.subjects ?? {})) {
        const digest = digestOfContents(subject)
        if (digest === null || kept.has(subject)) continue
        checkedAt.delete(subject)
        // That all of it is there must not be said any more when it is not.
        await manager.streams.purge(BUNDLES_STREAM, { filter: subject })
        await manager.streams.purge(BUNDLES_STREAM, { filter: bundlePart(digest, '*') })
      }
    },
  }
}

function* slices(data: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < data.length; start += BUNDLE_PART_BYTES)
    yield data.subarray(start, start + BUNDLE_PART_BYTES)
}
