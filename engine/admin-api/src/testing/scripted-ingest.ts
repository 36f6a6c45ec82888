import { createHash, randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KrtIssue } from '@kre/contracts'
import { sampleFacts } from '@kre/contracts/testing'
import type { IngestBundle } from '../versions/ingest-bundle.ts'

/** An upload of these tests: JSON that says which version it is, in place of an archive. */
export type TestBundle = {
  version: string
  /** Any text, to make another digest. */
  contents?: string
  variables?: string[]
  files?: string[]
  issues?: KrtIssue[]
}

export const anIssue: KrtIssue = {
  code: 'SUBSCRIPTION_UNKNOWN',
  level: 'error',
  message: 'node "b": nobody sends to "c"',
  file: 'kre.yaml',
  line: 12,
  column: 9,
  path: 'workflows[0].nodes[1].subscriptions[0]',
  hint: 'did you mean "a"?',
}

/** Stands where the bundle reader stands: takes the stream chunk by chunk and leaves a file in the scratch folder. */
export const scriptedIngest: IngestBundle = async ({ stream }, { scratchDir, signal }) => {
  const file = join(scratchDir, randomUUID())
  try {
    const chunks: Buffer[] = []
    for await (const chunk of stream) {
      signal.throwIfAborted()
      chunks.push(chunk as Buffer)
      await writeFile(file, Buffer.concat(chunks))
    }
    const bytes = Buffer.concat(chunks)
    const bundle = JSON.parse(bytes.toString()) as TestBundle
    const issues = bundle.issues ?? []
    if (issues.some(({ level }) => level === 'error')) {
      await rm(file)
      return { ok: false, issues }
    }
    const facts = sampleFacts(undefined, bundle.version)
    const config = { ...facts.manifest.config, variables: bundle.variables ?? [] }
    facts.manifest.config = { ...config, files: bundle.files ?? [] }
    facts.descriptorSet = Buffer.from('descriptors').toString('base64')
    const digest = createHash('sha256').update(bytes).digest('hex')
    return { ok: true, digest, bytes: bytes.length, file, facts, issues }
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}
