/** Turns the type names of a file into full names, by protoc's rules of scope and import. */
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt'
import type { KrtIssue } from '@kre/contracts'
import { errorIssue, printable } from '../issues.ts'
import type { ProtoScan } from './scan-proto.ts'
import { joinName, type ProtoSymbol, type SymbolTable } from './symbol-table.ts'

export type LinkContext = {
  readonly symbols: SymbolTable
  /** Names of the file itself, its imports, and what those import publicly. */
  readonly visible: ReadonlySet<string>
  readonly scan: ProtoScan
}

/** Changes `file` in place; a type that is not found is an issue and stays as written. */
export function linkTypes(file: FileDescriptorProto, context: LinkContext): KrtIssue[] {
  const issues: KrtIssue[] = []
  const resolve = (scope: string, written: string, user: string): string | null => {
    const found = findType(scope, written, context)
    if (found !== null) return found
    issues.push(unresolved(file.name, written, user, context))
    return null
  }

  function linkField(
    scope: string,
    field: FieldDescriptorProto,
    user = joinName(scope, field.name),
  ): void {
    if (field.extendee !== '') {
      const extendee = resolve(scope, field.extendee, user)
      if (extendee !== null) field.extendee = `.${extendee}`
    }
    if (field.typeName === '') return
    const type = resolve(scope, field.typeName, user)
    if (type === null) return
    field.typeName = `.${type}`
    if (field.type === FieldDescriptorProto_Type.GROUP) return
    field.type =
      context.symbols.get(type)?.kind === 'enum'
        ? FieldDescriptorProto_Type.ENUM
        : FieldDescriptorProto_Type.MESSAGE
  }

  function linkMessage(scope: string, message: DescriptorProto): void {
    const name = joinName(scope, message.name)
    for (const field of [...message.field, ...message.extension]) linkField(name, field)
    for (const nested of message.nestedType)
      if (nested.options?.mapEntry === true) linkMapEntry(name, message, nested)
      else linkMessage(name, nested)
  }

  /** The author wrote a map where the descriptor has a message of its own. */
  function linkMapEntry(scope: string, message: DescriptorProto, entry: DescriptorProto): void {
    const name = joinName(scope, entry.name)
    const map = message.field.find(({ typeName }) => `.${typeName}`.endsWith(`.${entry.name}`))
    const user = joinName(scope, map?.name ?? entry.name)
    for (const field of entry.field) linkField(name, field, user)
  }

  for (const message of file.messageType) linkMessage(file.package, message)
  for (const field of file.extension) linkField(file.package, field)
  for (const service of file.service)
    for (const method of service.method) {
      const scope = joinName(file.package, service.name)
      const user = joinName(scope, method.name)
      const input = resolve(scope, method.inputType, user)
      const output = resolve(scope, method.outputType, user)
      if (input !== null) method.inputType = `.${input}`
      if (output !== null) method.outputType = `.${output}`
    }
  return issues
}

/** From the innermost scope outwards; the first scope that knows the first part of the name decides. */
function findType(
  scope: string,
  written: string,
  { symbols, visible }: LinkContext,
): string | null {
  const at = (name: string): ProtoSymbol | undefined => {
    const symbol = symbols.get(name)
    return symbol !== undefined && (symbol.kind === 'package' || visible.has(symbol.file))
      ? symbol
      : undefined
  }
  const isType = (name: string): boolean => {
    const kind = at(name)?.kind
    return kind === 'message' || kind === 'enum'
  }
  if (written.startsWith('.')) return isType(written.slice(1)) ? written.slice(1) : null
  const [first = ''] = written.split('.')
  for (let outer = scope; ; outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))) {
    const full = joinName(outer, written)
    if (isType(full)) return full
    const kind = written === first ? undefined : at(joinName(outer, first))?.kind
    if (kind === 'message' || kind === 'package') return null
    if (outer === '') return null
  }
}

function unresolved(
  file: string,
  written: string,
  user: string,
  { symbols, scan }: LinkContext,
): KrtIssue {
  const elsewhere = symbols.get(written.replace(/^\./, ''))
  const reason =
    elsewhere === undefined || elsewhere.kind === 'member' || elsewhere.kind === 'package'
      ? 'is not defined in the protos of the bundle'
      : `is defined in ${printable(elsewhere.file)}, which ${printable(file)} does not import`
  return errorIssue('PROTO_TYPE', `${printable(user)}: type ${printable(written)} ${reason}`, {
    file,
    line: scan.positions.get(user)?.line ?? 1,
    column: scan.positions.get(user)?.column ?? 1,
  })
}
