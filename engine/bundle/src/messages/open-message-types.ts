/** What people are told of a version's messages: their fields, and what is in one, by the bundle's own descriptors. */
import {
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  toJson,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { KreError } from '@kre/contracts'
import { describeTypes, type TypeDescriptions } from './describe-types.ts'

export type MessageTypes = {
  /** Paths of the bundle's .proto files that the types come from. */
  readonly files: readonly string[]
  /**
   * A message in its JSON form (protobuf.dev/programming-guides/json), without fields that are not set.
   *
   * @param typeName full name without a leading dot.
   * @throws KreError `invalid-argument` when the type is not known, or the bytes are no such message.
   */
  toJson(typeName: string, data: Uint8Array): string
  /**
   * The messages with these names and all that they are made of.
   *
   * @param comments by full name, as from `readProtoComments`.
   */
  describe(names: readonly string[], comments: ReadonlyMap<string, string>): TypeDescriptions
}

/** @param descriptorSet google.protobuf.FileDescriptorSet of a validated bundle. @throws what protobuf throws for others. */
export function openMessageTypes(descriptorSet: Uint8Array): MessageTypes {
  const set = fromBinary(FileDescriptorSetSchema, descriptorSet)
  const registry = createFileRegistry(set)
  return {
    files: set.file.map(({ name }) => name).filter((name) => !name.startsWith('google/protobuf/')),
    toJson(typeName, data) {
      const type = registry.getMessage(typeName)
      if (type === undefined)
        throw new KreError('invalid-argument', `the bundle has no message "${typeName}"`)
      return jsonText(type, data, registry)
    },
    describe(names, comments) {
      const roots = names.flatMap((name) => registry.getMessage(name) ?? [])
      return describeTypes(roots, comments)
    },
  }
}

function jsonText(type: DescMessage, data: Uint8Array, registry: FileRegistry): string {
  try {
    return JSON.stringify(toJson(type, fromBinary(type, data), { registry }))
  } catch (error) {
    // Also a message that is nested deeper than the stack.
    const why = error instanceof Error ? error.message : String(error)
    throw new KreError('invalid-argument', `this is no ${type.typeName} with a JSON form: ${why}`)
  }
}
