/** A request that is being written: one value, seen as a form or as a text. Pure. */
import { formatJson, parseJson, type Json } from './json.ts'

export type RequestDraft = {
  readonly mode: 'form' | 'json'
  /** The last value that the text was. */
  readonly value: Json
  readonly text: string
  /** Why the text is no JSON; null = it is. */
  readonly error: string | null
  withValue(value: Json): RequestDraft
  withText(text: string): RequestDraft
}

export function requestDraft(value: Json, mode: 'form' | 'json'): RequestDraft {
  return draftOf({ mode, value, text: formatJson(value), error: null })
}

function draftOf(parts: Pick<RequestDraft, 'mode' | 'value' | 'text' | 'error'>): RequestDraft {
  return {
    ...parts,
    withValue(value) {
      return draftOf({ mode: this.mode, value, text: formatJson(value), error: null })
    },
    withText(text) {
      try {
        return draftOf({ mode: this.mode, value: parseJson(text), text, error: null })
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown.message : String(thrown)
        return draftOf({ mode: this.mode, value: this.value, text, error })
      }
    },
  }
}
