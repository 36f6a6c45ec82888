/**
 * A first walk over the tokens of one .proto: what the parser does not keep (imports and their kind, syntax,
 * where things are) and what it must not be asked to build (too many fields, messages).
 */
import protobuf from 'protobufjs'
import { BundleRejection, printable } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'

export type Position = { readonly line: number; readonly column: number }
export type ProtoImport = Position & { readonly path: string; readonly isPublic: boolean }

export type ProtoScan = {
  readonly syntax: string
  readonly packageName: string
  readonly imports: readonly ProtoImport[]
  /** Messages and enums. */
  readonly typeCount: number
  /** Every position where a service of this name is declared. */
  readonly services: ReadonlyMap<string, readonly Position[]>
  /** Last declaration of each full name (`pkg.Message.field`, `pkg.Service.Rpc`). */
  readonly positions: ReadonlyMap<string, Position>
}

type Block = { keyword: string; scope: string; fields: number }
type Token = Position & { readonly text: string; readonly isString: boolean }

const NAMED_BLOCKS: ReadonlySet<string> = new Set(['message', 'enum', 'service'])
/** Of a name with its package: it is copied into everything that lies in it. */
const NAME_CHARS_MAX = 1_024
const STATEMENT_TOKENS_KEPT = 12

/** @throws BundleRejection `PROTO_SYNTAX` or `PROTO_LIMIT` */
export function scanProto(file: string, text: string, limits: BundleLimits): ProtoScan {
  const imports: ProtoImport[] = []
  const services = new Map<string, Position[]>()
  const positions = new Map<string, Position>()
  const blocks: Block[] = []
  let syntax = 'proto2'
  let packageName = ''
  let typeCount = 0
  let statement: Token[] = []
  let brackets = 0

  const scope = (): string => blocks.at(-1)?.scope ?? packageName
  const note = (name: Token | undefined, parent = scope()): string => {
    if (name === undefined) return parent
    const full = join(parent, name.text)
    positions.set(full, at(name))
    return full
  }

  function open(): void {
    const [keyword, name] = statement
    const block: Block = { keyword: keyword?.text ?? '', scope: scope(), fields: 0 }
    if (NAMED_BLOCKS.has(block.keyword)) {
      block.scope = note(name)
      if (block.keyword === 'service') {
        if (name !== undefined)
          services.set(name.text, [...(services.get(name.text) ?? []), at(name)])
      } else if ((typeCount += 1) > limits.protoMessagesMax)
        throw limit(file, `more than ${limits.protoMessagesMax} messages and enums`, keyword)
    } else if (block.keyword === 'rpc' || block.keyword === 'oneof') note(name)
    blocks.push(block)
    if (blocks.length > limits.protoDepthMax)
      throw limit(file, `blocks that are nested more than ${limits.protoDepthMax} deep`, keyword)
  }

  function finish(): void {
    const [keyword, second] = statement
    if (keyword === undefined) return
    const block = blocks.at(-1)
    if (block === undefined) topLevel(keyword, second)
    else if (keyword.text === 'rpc') note(second)
    else if (keyword.text !== 'option') noteField(block)
  }

  function topLevel(keyword: Token, second: Token | undefined): void {
    if (keyword.text === 'package') {
      packageName = second?.text ?? ''
      if (packageName.split('.', limits.protoDepthMax + 1).length > limits.protoDepthMax)
        throw limit(file, `a package of more than ${limits.protoDepthMax} parts`, keyword)
    } else if (keyword.text === 'syntax' || keyword.text === 'edition')
      syntax = statement.find((token) => token.isString)?.text ?? syntax
    else if (keyword.text === 'import') {
      const path = statement.find((token) => token.isString)
      if (path !== undefined)
        imports.push({ path: path.text, isPublic: second?.text === 'public', ...at(path) })
    }
  }

  function noteField(block: Block): void {
    const equals = statement.findIndex((token) => token.text === '=' && !token.isString)
    if (equals < 1) return
    const name = statement[equals - 1]
    // Values of an enum are its siblings.
    if (block.keyword === 'enum') return void note(name, blocks.at(-2)?.scope ?? packageName)
    note(name)
    const owner = blocks.findLast(({ keyword }) => keyword !== 'oneof') ?? block
    owner.fields += 1
    if (owner.fields > limits.protoFieldsMax)
      throw limit(
        file,
        `more than ${limits.protoFieldsMax} fields in ${printable(owner.scope)}`,
        name,
      )
  }

  for (const token of tokensOf(file, text)) {
    if (token.text.length > NAME_CHARS_MAX && !token.isString)
      throw limit(file, `a name of more than ${NAME_CHARS_MAX} characters`, token)
    if (!token.isString && token.text.split('.').includes('__proto__'))
      // The parser keeps names as keys of objects, where this one means something else and would be lost.
      throw new BundleRejection(
        'PROTO_SYNTAX',
        `${printable(file)}: the name __proto__ can't be used`,
        { file, ...at(token) },
        'choose another name',
      )
    if (token.isString || !'{}[];'.includes(token.text)) {
      if (statement.length < STATEMENT_TOKENS_KEPT) statement.push(token)
    } else if (token.text === '[') brackets += 1
    else if (token.text === ']') brackets -= 1
    else if (brackets > 0) continue
    else {
      if (token.text === '{') open()
      else {
        finish()
        if (token.text === '}') blocks.pop()
      }
      statement = []
    }
  }
  return { syntax, packageName, imports, typeCount, services, positions }
}

function join(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}

function limit(file: string, what: string, place: Position | undefined): BundleRejection {
  return new BundleRejection('PROTO_LIMIT', `${printable(file)} has ${what}`, {
    file,
    ...(place === undefined ? {} : at(place)),
  })
}

/** A string is one token, placed where its opening quote is. */
function* tokensOf(file: string, text: string): Generator<Token> {
  const tokens = protobuf.tokenize(text, false)
  const columnOf = createColumnFinder(text)
  try {
    for (;;) {
      const token = tokens.next()
      if (token === null) return
      const { line } = tokens
      const column = columnOf(line, token)
      if (token !== '"' && token !== "'") {
        yield { text: token, line, column, isString: false }
        continue
      }
      yield { text: tokens.next() ?? '', line, column, isString: true }
      tokens.next()
    }
  } catch (thrown) {
    throw syntaxRejection(file, text, thrown)
  }
}

/** The tokenizer knows lines only: the column is where the token's text comes next in that line. */
function createColumnFinder(text: string): (line: number, token: string) => number {
  let currentLine = 1
  let lineStart = 0
  let cursor = 0
  return (line, token) => {
    for (; currentLine < line; currentLine += 1) {
      lineStart = text.indexOf('\n', lineStart) + 1
      cursor = lineStart
    }
    const at = text.indexOf(token, cursor)
    if (at === -1) return 1
    cursor = at + token.length
    return at - lineStart + 1
  }
}

function columnIn(line: string, token: string): number {
  return Math.max(0, line.indexOf(token)) + 1
}

function at({ line, column }: Position): Position {
  return { line, column }
}

/** Gives the parser's error a place: it names the line, and often the token, in its message. */
export function syntaxRejection(file: string, text: string, thrown: unknown): BundleRejection {
  const raw = thrown instanceof Error ? thrown.message : String(thrown)
  const place = /\((?:[^()]*, )?line (\d+)\)$/.exec(raw)
  const reason = raw.replace(/ \((?:[^()]*, )?line \d+\)$/, '')
  const token = /'([^']*)'/.exec(reason)?.[1]
  const lines = text.split('\n')
  const line = place?.[1] === undefined ? lineOf(lines, reason, token) : Number(place[1])
  const column = token === undefined ? 1 : columnIn(lines[line - 1] ?? '', token)
  return new BundleRejection('PROTO_SYNTAX', `${printable(file)}: ${cut(reason)}`, {
    file,
    line,
    column,
  })
}

/** For an error about a name or number that is there twice, the last place where it stands. */
function lineOf(lines: readonly string[], reason: string, token: string | undefined): number {
  const id = /duplicate id (-?\d+)/.exec(reason)?.[1]
  const wanted = id === undefined ? token : `= ${id}`
  if (wanted === undefined) return 1
  const index = lines.findLastIndex((line) => line.includes(wanted))
  return index === -1 ? 1 : index + 1
}

function cut(reason: string): string {
  return reason.length > 300 ? `${reason.slice(0, 300)}…` : reason
}
