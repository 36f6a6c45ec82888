/** Syntax of TypeScript and JavaScript by the very parsers that a runner uses: Node's type stripping and V8. */
import { isNativeError } from 'node:util/types'
import { compileFunction, SourceTextModule } from 'node:vm'
import type { KrtIssue } from '@kre/contracts'
import { errorIssue } from '../issues.ts'
import type { Stripped } from '../stripper/strip-text.ts'
import type { TypeStripper } from '../stripper/type-stripper.ts'

export const SCRIPT_SUFFIX = /\.(?:ts|mts|js|mjs|cjs)$/

type Failure = { message: string; line: number; column: number; hint?: string }
/** What it imports at once, as it says it; without types, and without what CommonJS requires. */
type Parsed = { imports: readonly string[] }

/**
 * Parses only; nothing of the text is ever run. Needs `--experimental-vm-modules`.
 *
 * @returns null when the stripper tries no more.
 */
export async function checkScript(
  path: string,
  text: string,
  stripper: TypeStripper,
): Promise<KrtIssue | Parsed | null> {
  const isTyped = /\.m?ts$/.test(path)
  const stripped = isTyped ? await stripper.strip(text) : { code: text }
  if (stripped === null) return null
  const parsed = 'fault' in stripped ? describe(stripped) : parse(path, stripped.code)
  if ('imports' in parsed) return parsed
  const { line, column, message, hint } =
    'thrown' in parsed ? await locate(messageOf(parsed.thrown), text, stripper) : parsed
  return errorIssue('SRC_SYNTAX', message, { file: path, line, column }, hint)
}

type Thrown = { thrown: unknown }

/** A `.js` file is a module or CommonJS, whichever of the two it parses as. */
function parse(path: string, text: string): Thrown | Parsed {
  if (path.endsWith('.ts') || path.endsWith('.mts')) return parseModule(text)
  if (path.endsWith('.cjs')) return parseFunction(text)
  const asModule = parseModule(text)
  if ('imports' in asModule || path.endsWith('.mjs')) return asModule
  const asFunction = parseFunction(text)
  return 'imports' in asFunction ? asFunction : asModule
}

function parseModule(text: string): Thrown | Parsed {
  try {
    const { moduleRequests } = new SourceTextModule(text, { identifier: 'source' })
    return { imports: moduleRequests.map(({ specifier }) => specifier) }
  } catch (thrown) {
    return { thrown }
  }
}

function parseFunction(text: string): Thrown | Parsed {
  try {
    compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname'])
    return { imports: [] }
  } catch (thrown) {
    return { thrown }
  }
}

/** V8 keeps the position of an error in a module to itself; the type stripper's parser tells it. */
async function locate(message: string, text: string, stripper: TypeStripper): Promise<Failure> {
  const stripped = await stripper.strip(text)
  if (stripped !== null && 'fault' in stripped && stripped.fault !== 'trap')
    return { ...describe(stripped), message }
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

/** The stack has no caret at the end of the text. */
function describe({ fault, message, stack }: Extract<Stripped, { fault: string }>): Failure {
  if (fault === 'trap')
    return {
      message: `the type stripper broke on it: ${message}`,
      line: 1,
      column: 1,
      hint: 'runners could not load it either: nest less deeply',
    }
  const [first = '', ...rest] = stack.split('\n', 8)
  const line = /:(\d+)$/.exec(first)?.[1]
  const caret = rest.find((text) => /^ *\^+$/.test(text))
  const endOfText = rest.slice(0, rest.indexOf('')).at(-1) ?? ''
  return {
    message: short(message),
    line: Number(line ?? 1),
    column: line === undefined ? 1 : (caret?.indexOf('^') ?? endOfText.length) + 1,
    ...(fault === 'unsupported'
      ? { hint: 'runners strip types only: write it without enum, namespace or parameter property' }
      : {}),
  }
}

function messageOf(thrown: unknown): string {
  return short(isNativeError(thrown) ? thrown.message : String(thrown))
}

function short(message: string): string {
  return (message.split('\n', 1)[0] ?? '').slice(0, 300)
}
