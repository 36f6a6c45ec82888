import { stripTypeScriptTypes } from 'node:module'
import { isNativeError } from 'node:util/types'

/** What the type stripper made of a text; `trap`: its compiler broke on it, and is of no use any more. */
export type Stripped =
  | { readonly code: string }
  | {
      readonly fault: 'syntax' | 'unsupported' | 'trap'
      /** One line. */
      readonly message: string
      /** Starts with `file:line`; the lines up to the place follow, and a caret below it. */
      readonly stack: string
    }

const FAULTS: Readonly<Record<string, 'syntax' | 'unsupported'>> = {
  ERR_INVALID_TYPESCRIPT_SYNTAX: 'syntax',
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX: 'unsupported',
}

/** Strips the types of one text by the compiler of this thread. */
export function stripText(text: string): Stripped {
  try {
    return { code: stripTypeScriptTypes(text, { mode: 'strip' }) }
  } catch (thrown) {
    const { message, stack = '' } = isNativeError(thrown) ? thrown : new Error(String(thrown))
    const code = (thrown as NodeJS.ErrnoException).code ?? ''
    return { fault: FAULTS[code] ?? 'trap', message: message.split('\n', 1)[0] ?? '', stack }
  }
}
