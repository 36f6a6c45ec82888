import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { saveBody } from './save-body.ts'

test.each([
  ['nowhere/x', 'there is no such folder'],
  ['file/x', 'a part of its path is no folder'],
])('a file that can not be written is named with the reason: %s', async (name, reason) => {
  const folder = await mkdtemp(join(tmpdir(), 'kre-save-'))
  try {
    await writeFile(join(folder, 'file'), '')
    const body = new Response('abc').body as ReadableStream<Uint8Array>
    const file = join(folder, name)
    const options = { signal: new AbortController().signal, replace: true }
    await expect(saveBody(body, file, options)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: `${file} can't be written: ${reason}`,
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})
