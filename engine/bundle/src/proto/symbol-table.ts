import type { DescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt'

export type SymbolKind = 'message' | 'enum' | 'package' | 'member'
export type ProtoSymbol = { readonly kind: SymbolKind; readonly file: string }

/** Every name that a set of files declares, by its full name without a leading dot. */
export type SymbolTable = {
  get(fullName: string): ProtoSymbol | undefined
  /** @returns the full names that were there before: protobuf has one name space for all kinds of things. */
  addFile(file: FileDescriptorProto): { name: string; before: ProtoSymbol }[]
}

export function createSymbolTable(): SymbolTable {
  const symbols = new Map<string, ProtoSymbol>()

  return {
    get: (fullName) => symbols.get(fullName),
    addFile(file) {
      const clashes: { name: string; before: ProtoSymbol }[] = []
      for (const [name, kind] of namesOf(file)) {
        const before = symbols.get(name)
        if (before === undefined) symbols.set(name, { kind, file: file.name })
        else if (kind !== 'package' || before.kind !== 'package') clashes.push({ name, before })
      }
      return clashes
    },
  }
}

function* namesOf(file: FileDescriptorProto): Generator<[string, SymbolKind]> {
  const parts = file.package === '' ? [] : file.package.split('.')
  for (let count = 1; count <= parts.length; count += 1)
    yield [parts.slice(0, count).join('.'), 'package']
  yield* typeNames(file.package, file)
  for (const message of file.messageType) yield* messageNames(file.package, message)
  for (const service of file.service) {
    const name = joinName(file.package, service.name)
    yield [name, 'member']
    for (const method of service.method) yield [joinName(name, method.name), 'member']
  }
}

function* messageNames(scope: string, message: DescriptorProto): Generator<[string, SymbolKind]> {
  const name = joinName(scope, message.name)
  yield [name, 'message']
  for (const field of message.field) yield [joinName(name, field.name), 'member']
  for (const oneof of message.oneofDecl) yield [joinName(name, oneof.name), 'member']
  yield* typeNames(name, message)
  for (const nested of message.nestedType) yield* messageNames(name, nested)
}

/** Values of an enum are its siblings, as in C++. */
function* typeNames(
  scope: string,
  { enumType, extension }: Pick<DescriptorProto, 'enumType' | 'extension'>,
): Generator<[string, SymbolKind]> {
  for (const type of enumType) {
    yield [joinName(scope, type.name), 'enum']
    for (const value of type.value) yield [joinName(scope, value.name), 'member']
  }
  for (const field of extension) yield [joinName(scope, field.name), 'member']
}

export function joinName(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}
