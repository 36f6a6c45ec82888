/** Syntax of TypeScript and JavaScript by the very parsers that a runner uses: Node's type stripping and V8. */
import { stripTypeScriptTypes } from 'node:module'
import { isNativeError } from 'node:util/types'
import { compileFunction, SourceTextModule } from 'node:vm'
import type { KrtIssue } from '@kre/contracts'
import { errorIssue } from '../issues.ts'

export const SCRIPT_SUFFIX = /\.(?:ts|mts|js|mjs|cjs)$/

type Failure = { message: string; line: number; column: number; hint?: string }
/** What it imports at once, as it says it; without types, and without what CommonJS requires. */
type Parsed = { imports: readonly string[] }

/** Parses only; nothing of the text is ever run. Needs `--experimental-vm-modules`. */
export function checkScript(path: string, text: string): KrtIssue | Parsed {
  const parsed = /\.m?ts$/.test(path) ? parseTypeScript(text) : parseJavaScript(path, text)
  if ('imports' in parsed) return parsed
  const { line, column, message, hint } = parsed
  return errorIssue('SRC_SYNTAX', message, { file: path, line, column }, hint)
}

function parseTypeScript(text: string): Failure | Parsed {
  let stripped: string
  try {
    stripped = stripTypeScriptTypes(text, { mode: 'strip' })
  } catch (thrown) {
    return describeStripError(thrown)
  }
  return parseModule(stripped)
}

/** A `.js` file is a module or CommonJS, whichever of the two it parses as. */
function parseJavaScript(path: string, text: string): Failure | Parsed {
  if (path.endsWith('.cjs')) return parseFunction(text)
  const asModule = parseModule(text)
  if ('imports' in asModule || path.endsWith('.mjs')) return asModule
  const asFunction = parseFunction(text)
  return 'imports' in asFunction ? asFunction : asModule
}

function parseModule(text: string): Failure | Parsed {
  try {
    const { moduleRequests } = new SourceTextModule(text, { identifier: 'source' })
    return { imports: moduleRequests.map(({ specifier }) => specifier) }
  } catch (thrown) {
    return locate(thrown, text)
  }
}

function parseFunction(text: string): Failure | Parsed {
  try {
    compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname'])
    return { imports: [] }
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
