import type { Readable } from 'node:stream'
import type { BundleFacts, KrtIssue } from '@kre/contracts'

/** What the validator makes of an uploaded archive. */
export type IngestResult =
  | {
      ok: true
      /** sha256 of the canonical archive, hexadecimal. */
      digest: string
      bytes: number
      /** The canonical archive, in `scratchDir`; the caller takes it over. */
      file: string
      facts: BundleFacts
      /** Warnings and notes. */
      issues: readonly KrtIssue[]
    }
  | { ok: false; issues: readonly KrtIssue[] }

/** Reads, checks and rewrites an archive; an invalid one leaves nothing behind. */
export type IngestBundle = (
  source: { stream: Readable },
  options: { scratchDir: string; signal: AbortSignal },
) => Promise<IngestResult>
