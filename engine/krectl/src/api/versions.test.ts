import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import type { AdminClient } from './admin-client.ts'
import { uploadVersion } from './versions.ts'

test('a folder is not packed for a runtime that is not there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'upload-version-'))
  try {
    await writeFile(join(folder, 'krt.yaml'), 'this is no manifest')
    const nowhere = () => Promise.reject(new KreError('not-found', 'runtime "nope" is not there'))
    const client = { graphql: nowhere } as unknown as AdminClient
    const context = {} as Parameters<typeof uploadVersion>[3]
    await expect(uploadVersion(client, 'nope', folder, context)).rejects.toThrow(/"nope"/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
