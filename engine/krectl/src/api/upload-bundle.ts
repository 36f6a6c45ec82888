import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError, MiB, SECOND_MS, type KrtIssue } from '@kre/contracts'
import { EngineUnreachable } from '../output/exit-code.ts'
import type { Output } from '../output/output.ts'
import type { AdminClient } from './admin-client.ts'

/** Smaller files go in one piece: they are over before anybody looks, and quickly sent again. */
const PARTS_BYTES_MIN = 4 * MiB
/** Waits between attempts that brought nothing: an engine that is restarted is back within them. */
const WAITS_MS = [0.2, 0.5, 1, 2, 5, 10, 15, 15, 15].map((seconds) => seconds * SECOND_MS)

export type UploadOptions = {
  signal: AbortSignal
  output: Output
  /** Finds the engine again, which may have another address by then. */
  reconnect: () => Promise<AdminClient>
  /** Why, for the history. */
  comment?: string
}
/** `client`: the one that reached the engine last. */
export type Uploaded = { client: AdminClient; name: string; issues: KrtIssue[] }

type Source = { file: FileHandle; bytes: number; sha256: string; runtimeId: string }
type Answer = { version: { name: string }; issues: KrtIssue[] }

/**
 * Sends a `.krt` file. After a cut connection it goes on where the engine has come to, also with the next engine on the
 * same data; and so does the next call with the same file, for a day.
 *
 * @throws EngineUnreachable when nothing was heard of an engine for a minute; BundleRefused with all issues.
 */
export async function uploadBundle(
  client: AdminClient,
  runtimeId: string,
  path: string,
  options: UploadOptions,
): Promise<Uploaded> {
  const file = await open(path, 'r').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new KreError('invalid-argument', `${path} can't be read: ${why}`, {}, { cause: error })
  })
  try {
    const stats = await file.stat()
    if (!stats.isFile())
      throw new KreError('invalid-argument', `${path} is neither a file nor a folder`)
    const source = { file, bytes: stats.size, sha256: await digestOf(file), runtimeId }
    return await withPatience(client, source, options)
  } finally {
    await file.close()
  }
}

/** What the engine has; null before it was asked. */
type Progress = { received: number | null }

/** Tries until it is done, refused, or nothing goes on any more. */
async function withPatience(
  first: AdminClient,
  source: Source,
  options: UploadOptions,
): Promise<Uploaded> {
  const progress: Progress = { received: null }
  let client: AdminClient | null = first
  for (let failures = 0; ; failures += 1) {
    const before = progress.received ?? 0
    const ended = new AbortController()
    try {
      client ??= await options.reconnect()
      const call = { client, progress, ended: ended.signal }
      const { version, issues } = await attempt(call, source, options)
      return { client, name: version.name, issues }
    } catch (error) {
      if (options.signal.aborted || !mayPass(error)) throw error
      // An engine that was never there is not waited for.
      if (client === first && wasRefused(error)) throw error
      if ((progress.received ?? 0) > before) failures = 0
      const waitMs = WAITS_MS[failures]
      if (waitMs === undefined) throw error
      options.output.step(`  the connection was cut, trying again in ${waitMs / SECOND_MS} s`)
      await sleep(waitMs, undefined, { signal: options.signal })
      client = null
    } finally {
      // Whoever reads the file for a connection that is gone stops.
      ended.abort()
    }
  }
}

/** Whether nobody listens there. Errors are told by their fields: those of another realm are no instances of ours. */
function wasRefused(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return code === 'ECONNREFUSED' || wasRefused(cause)
}

/** Whether the same again may succeed: nobody answered, or the answer says that bytes got lost on the way. */
function mayPass(error: unknown): boolean {
  if (error instanceof EngineUnreachable) return true
  if (!(error instanceof KreError)) return false
  const { code, details } = error
  const isGone = code === 'not-found' && details['reason'] === UPLOAD_GONE
  return isGone || code === 'unavailable' || code === 'deadline-exceeded' || code === 'aborted'
}

async function attempt(
  { client, progress, ended }: { client: AdminClient; progress: Progress; ended: AbortSignal },
  source: Source,
  { signal, output, comment = '' }: UploadOptions,
): Promise<Answer> {
  const runtime = `/api/v1/runtimes/${encodeURIComponent(source.runtimeId)}`
  const versions = (query: Record<string, string>) =>
    `${runtime}/versions?${new URLSearchParams({ ...query, ...(comment === '' ? {} : { comment }) })}`
  if (source.bytes < PARTS_BYTES_MIN) {
    const digest = Buffer.from(source.sha256, 'hex').toString('base64')
    return client.rest<Answer>('PUT', versions({}), {
      headers: { 'repr-digest': `sha-256=:${digest}:` },
      body: { stream: read(source, 0, ended), bytes: source.bytes },
      signal,
    })
  }
  const found = await findOrBegin(client, source, `${runtime}/uploads`)
  const at = `${runtime}/uploads/${found.id}`
  if (found.received > 0 && progress.received === null)
    output.step(`  going on with ${sizeText(found.received)} that the engine has already`)
  progress.received = found.received
  if (found.received < source.bytes)
    await client.head('PATCH', at, {
      headers: {
        ...TUS,
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(found.received),
      },
      body: {
        stream: read(source, found.received, ended, (sent) =>
          output.gauge(`  ${sizeText(sent)} of ${sizeText(source.bytes)} sent`),
        ),
        bytes: source.bytes - found.received,
      },
      signal,
    })
  output.gauge(`  ${sizeText(source.bytes)} sent, now being checked`)
  return client.rest<Answer>('PUT', versions({ upload: found.id }), {
    body: 'none',
    signal,
  })
}

const TUS = { 'tus-resumable': '1.0.0' }
/** The engine's code for an upload that was a day old, or is over: it is begun anew. */
const UPLOAD_GONE = 'UPLOAD_GONE'

/** The caller's upload of the same bytes, or a new one. */
async function findOrBegin(
  client: AdminClient,
  { bytes, sha256 }: Source,
  uploads: string,
): Promise<{ id: string; received: number }> {
  const open = await client.rest<{ uploads: { id: string; bytes: number; sha256: string }[] }>(
    'GET',
    uploads,
  )
  const same = open.uploads.find((upload) => upload.sha256 === sha256 && upload.bytes === bytes)
  if (same !== undefined) {
    // Asked for by itself: that also ends a connection that the engine has not seen end.
    const headers = await client.head('HEAD', `${uploads}/${same.id}`, { headers: TUS })
    return { id: same.id, received: Number(headers.get('upload-offset')) }
  }
  const metadata = `sha256 ${Buffer.from(sha256).toString('base64')}`
  const headers = await client.head('POST', uploads, {
    headers: { ...TUS, 'upload-length': String(bytes), 'upload-metadata': metadata },
  })
  return { id: headers.get('location')?.split('/').at(-1) ?? '', received: 0 }
}

function read(
  { file }: Source,
  start: number,
  ended: AbortSignal,
  onSent: (bytes: number) => void = () => undefined,
): ReadableStream<Uint8Array> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let sent = start
    for await (const chunk of file.createReadStream({ start, autoClose: false })) {
      if (ended.aborted) return
      yield chunk as Uint8Array
      if (ended.aborted) return
      sent += (chunk as Uint8Array).length
      onSent(sent)
    }
  }
  return Readable.toWeb(Readable.from(chunks())) as ReadableStream<Uint8Array>
}

async function digestOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false }))
    hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

function sizeText(bytes: number): string {
  return `${(bytes / MiB).toFixed(0)} MiB`
}
