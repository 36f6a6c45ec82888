import { ProtoReader } from '@kre/contracts/runtime'
import { fromBinary } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'

/** What server reflection is asked about a set of proto files. */
export type DescriptorIndex = {
  /** Full names, sorted. */
  readonly services: readonly string[]
  /** A file and everything it imports, each as FileDescriptorProto, the file first; null = no such file. */
  byName(file: string): readonly DescribedFile[] | null
  bySymbol(fullName: string): readonly DescribedFile[] | null
  byExtension(type: string, number: number): readonly DescribedFile[] | null
  /** Field numbers of the extensions of a message type; null = no such type. */
  extensionsOf(type: string): readonly number[] | null
}

export type DescribedFile = { readonly name: string; readonly bytes: Uint8Array }

type IndexedFile = DescribedFile & { readonly imports: readonly string[] }

/** @param sets FileDescriptorSets; a file that is in several counts once. */
export function createDescriptorIndex(sets: readonly Uint8Array[]): DescriptorIndex {
  const files = new Map<string, IndexedFile>()
  const symbols = new Map<string, IndexedFile>()
  const types = new Set<string>()
  const extensions = new Map<string, Map<number, IndexedFile>>()
  const services: string[] = []

  const addExtension = (file: IndexedFile, prefix: string, field: FieldDescriptorProto) => {
    symbols.set(prefix + field.name, file)
    const type = field.extendee.replace(/^\./, '')
    const known = extensions.get(type) ?? new Map<number, IndexedFile>()
    extensions.set(type, known.set(field.number, file))
  }
  const addEnum = (file: IndexedFile, prefix: string, described: EnumDescriptorProto) => {
    symbols.set(prefix + described.name, file)
    // Values are siblings of their enum.
    for (const value of described.value) symbols.set(prefix + value.name, file)
  }
  const addMessage = (file: IndexedFile, prefix: string, message: DescriptorProto) => {
    const name = prefix + message.name
    symbols.set(name, file)
    types.add(name)
    for (const field of [...message.field, ...message.oneofDecl])
      symbols.set(`${name}.${field.name}`, file)
    for (const nested of message.nestedType) addMessage(file, `${name}.`, nested)
    for (const nested of message.enumType) addEnum(file, `${name}.`, nested)
    for (const extension of message.extension) addExtension(file, `${name}.`, extension)
  }
  const addFile = (bytes: Uint8Array) => {
    const described = fromBinary(FileDescriptorProtoSchema, bytes)
    if (files.has(described.name)) return
    const file = { name: described.name, bytes, imports: described.dependency }
    files.set(file.name, file)
    const prefix = described.package === '' ? '' : `${described.package}.`
    for (const message of described.messageType) addMessage(file, prefix, message)
    for (const enumeration of described.enumType) addEnum(file, prefix, enumeration)
    for (const extension of described.extension) addExtension(file, prefix, extension)
    for (const service of described.service) {
      services.push(prefix + service.name)
      symbols.set(prefix + service.name, file)
      for (const method of service.method)
        symbols.set(`${prefix}${service.name}.${method.name}`, file)
    }
  }
  for (const set of sets) for (const bytes of filesOf(set)) addFile(bytes)

  const closure = (first: IndexedFile | undefined): readonly DescribedFile[] | null => {
    if (first === undefined) return null
    const found = new Set([first])
    // A set grows while it is walked, and the walk sees what was added.
    for (const file of found)
      for (const name of file.imports) {
        const imported = files.get(name)
        if (imported !== undefined) found.add(imported)
      }
    return [...found]
  }
  return {
    services: services.toSorted(),
    byName: (file) => closure(files.get(file)),
    bySymbol: (fullName) => closure(symbols.get(fullName)),
    byExtension: (type, number) => closure(extensions.get(type)?.get(number)),
    extensionsOf: (type) =>
      types.has(type) ? [...(extensions.get(type)?.keys() ?? [])].toSorted((a, b) => a - b) : null,
  }
}

/** The files of a FileDescriptorSet with their very bytes, so that options nobody here knows survive. */
function filesOf(set: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  const reader = new ProtoReader(set)
  while (reader.next()) {
    if (reader.field === 1) found.push(reader.bytes())
    else reader.skip()
  }
  return found
}
