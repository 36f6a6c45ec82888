import { createWriteStream } from 'node:fs'
import { link, rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { cannotWrite } from './cannot-write.ts'
import { UsageError } from './exit-code.ts'

type SaveOptions = { signal: AbortSignal; replace: boolean }

/**
 * Writes what an engine sends into a file, which appears when it is complete.
 *
 * @returns its bytes.
 * @throws UsageError when there is a file of that name, unless `replace`; KreError `failed-precondition` when it can't be
 * written.
 */
export async function saveBody(
  body: ReadableStream<Uint8Array>,
  file: string,
  { signal, replace }: SaveOptions,
): Promise<number> {
  const draft = `${file}.${process.pid}.partial`
  try {
    await pipeline(Readable.fromWeb(body as never), createWriteStream(draft, { flags: 'wx' }), {
      signal,
    }).catch(cannotWrite(file))
    if (replace) await rename(draft, file).catch(cannotWrite(file))
    else await link(draft, file).catch(refuseExisting(file))
  } finally {
    await rm(draft, { force: true }).catch(cannotWrite(file))
  }
  return (await stat(file)).size
}

function refuseExisting(file: string): (error: unknown) => never {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new UsageError(`${file} is there already: name another file`, { cause: error })
  }
}
