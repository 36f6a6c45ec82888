/** One bundle that must be refused: what it is called, how it is made, and what the answer says. */
import { krtOf, SAMPLE_FILES, type TarPart } from '@kre/bundle/testing'

export type HostileInput = {
  /** Unique; begins with its area: `yaml: an alias bomb`. */
  readonly name: string
  /** The same bytes in every run. Made when asked for: some are large. */
  readonly bytes: () => Uint8Array
  /** The error that must be among those of the answer. */
  readonly code: string
  /** `file` or `file:line` where that error stands; absent where a position means nothing. */
  readonly place?: string
}

export type Files = Readonly<Record<string, string | Uint8Array>>

/** The sample bundle with some files changed or added. */
export function bundleOf(changes: Files): Buffer {
  const files = Object.entries({ ...SAMPLE_FILES, ...changes })
  return krtOf(files.map(([path, content]) => ({ path, content })))
}

/** The sample bundle and further entries. */
export function bundleWith(...parts: TarPart[]): Buffer {
  return krtOf([...sampleParts(), ...parts])
}

export function sampleParts(): TarPart[] {
  return Object.entries(SAMPLE_FILES).map(([path, content]) => ({ path, content }))
}

/** `file:line` of the first line of `text` that holds `marker`. */
export function placeOf(file: string, text: string, marker: string): string {
  const index = text.split('\n').findIndex((line) => line.includes(marker))
  if (index === -1) throw new Error(`${file} has no ${JSON.stringify(marker)}`)
  return `${file}:${index + 1}`
}

/** Bytes that do not compress, the same in every run. */
export function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 0x9e3779b9
  for (let i = 0; i < length; i += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state
  }
  return bytes
}
