import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Writable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { Context } from '../context.ts'
import { runProgram } from '../programs/run-program.ts'
import { saveCall, type Builder } from './build-calls.ts'

type SizeContext = Pick<Context, 'cwd' | 'environment' | 'signal' | 'stderr'>

/** What a registry would hold and a machine would fetch: the layers with gzip, in bytes. The base is in it. */
export async function compressedBytes(
  context: SizeContext,
  builder: Builder,
  reference: string,
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'kre-image-size-'))
  try {
    const file = join(folder, 'image.tar')
    await runProgram(context, { ...saveCall(builder, reference, file), environment })
    let bytes = 0
    const count = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        done()
      },
    })
    await pipeline(createReadStream(file), createGzip(), count, { signal: context.signal })
    return bytes
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
