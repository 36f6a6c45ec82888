/** Syntax of TypeScript and JavaScript by the very parsers that a runner uses: Node's type stripping and V8. */
import { stripTypeScriptTypes } from 'node:module'
import { isNativeError } from 'node:util/types'
import { compileFunction, SourceTextModule } from 'node:vm'
import type { KrtIssue } from '@kre/contracts'
import { errorIssue } from '../issues.ts'

export const SCRIPT_SUFFIX = /\.(?:ts|mts|js|mjs|cjs)$/

type Failure = { message: string; line: number; column: number; hint?: string }

/** Parses only; nothing of the text is ever run. Needs `--experimental-vm-modules`. */
export function checkScript(path: string, text: string): KrtIssue | null {
  const failure = /\.m?ts$/.test(path) ? failTypeScript(text) : failJavaScript(path, text)
  if (failure === null) return null
  const { line, column, message, hint } = failure
  return errorIssue('SRC_SYNTAX', message, { file: path, line, column }, hint)
}

function failTypeScript(text: string): Failure | null {
  let stripped: string
  try {
    stripped = stripTypeScriptTypes(text, { mode: 'strip' })
  } catch (thrown) {
    return describeStripError(thrown)
  }
  return failModule(stripped)
}

/** A `.js` file is a module or CommonJS, whichever of the two it parses as. */
function failJavaScript(path: string, text: string): Failure | null {
  if (path.endsWith('.cjs')) return failFunction(text)
  const failure = failModule(text)
  if (failure === null) return null
  return path.endsWith('.mjs') || failFunction(text) !== null ? failure : null
}

function failModule(text: string): Failure | null {
  try {
    void new SourceTextModule(text, { identifier: 'source' })
    return null
  } catch (thrown) {
    return locate(thrown, text)
  }
}

function failFunction(text: string): Failure | null {
  try {
    compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname'])
    return null
  } catch (thrown) {
    return locate(thrown, text)
  }
}

/** V8 keeps the position of an error in a module to itself; the type stripper's parser tells it. */
function locate(thrown: unknown, text: string): Failure {
  const message = messageOf(thrown)
  try {
    stripTypeScriptTypes(text, { mode: 'strip' })
  } catch (parserError) {
    return { ...describeStripError(parserError), message }
  }
  return { message, line: 1, column: 1, ...locateDecorator(text) }
}

/** The type stripper leaves decorators in, and V8 has none. */
function locateDecorator(text: string): Partial<Failure> {
  const at = /^[^\S\n]*@(?=[\w$(])/m.exec(text)
  if (at === null) return {}
  const before = text.slice(0, at.index).split('\n')
  return {
    message: 'decorators are not supported',
    line: before.length,
    column: at[0].length,
    hint: 'JavaScript has none yet: call the function instead, or compile the file before it is packed',
  }
}

/** The stack starts with `file:line`, the lines up to the place, and a caret below it; none at the end of the text. */
function describeStripError(thrown: unknown): Failure {
  const [first = '', ...rest] = isNativeError(thrown) ? (thrown.stack ?? '').split('\n', 8) : []
  const line = /:(\d+)$/.exec(first)?.[1]
  const caret = rest.find((text) => /^ *\^+$/.test(text))
  const endOfText = rest.slice(0, rest.indexOf('')).at(-1) ?? ''
  const unsupported = (thrown as NodeJS.ErrnoException).code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  return {
    message: messageOf(thrown),
    line: Number(line ?? 1),
    column: line === undefined ? 1 : (caret?.indexOf('^') ?? endOfText.length) + 1,
    ...(unsupported
      ? { hint: 'runners strip types only: write it without enum, namespace or parameter property' }
      : {}),
  }
}

function messageOf(thrown: unknown): string {
  const message = isNativeError(thrown) ? thrown.message : String(thrown)
  return (message.split('\n', 1)[0] ?? '').slice(0, 300)
}
