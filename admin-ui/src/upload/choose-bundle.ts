/** What people drop or choose, before a byte of it is sent. */
import { t } from '../texts/en.ts'

/** A plain tar has its word here. */
const TAR_MAGIC_OFFSET = 257

export type Choice =
  | { readonly kind: 'bundle'; readonly file: File }
  | { readonly kind: 'problem'; readonly text: string }

const problem = (text: string): Choice => ({ kind: 'problem', text })

/**
 * One file that may be a bundle. Whether it is a good one the engine says; what can't be one at all is found here, so
 * that a film is not sent for nothing.
 */
export async function chooseBundle(files: readonly File[], hasFolder: boolean): Promise<Choice> {
  const [file] = files
  if (hasFolder) return problem(t.upload.isFolder)
  if (file === undefined) return problem(t.upload.noFile)
  if (files.length > 1) return problem(t.upload.oneFile)
  if (file.size === 0) return problem(t.upload.isEmpty)
  const start = await readStart(file)
  if (start === null) return problem(t.upload.unreadable)
  return isArchive(start) ? { kind: 'bundle', file } : problem(t.upload.noBundle)
}

/** Null when the browser can't read it: it was moved, or changed after it was chosen. */
export async function readStart(file: Blob): Promise<Uint8Array | null> {
  try {
    return new Uint8Array(await file.slice(0, TAR_MAGIC_OFFSET + 5).arrayBuffer())
  } catch {
    return null // DOMException: not for us to read
  }
}

function isArchive(start: Uint8Array): boolean {
  if (start[0] === 0x1f && start[1] === 0x8b) return true
  return new TextDecoder('latin1').decode(start.subarray(TAR_MAGIC_OFFSET)) === 'ustar'
}
