/** One parsed .proto as the descriptor that protoc would write, types still as the author named them. */
import { create } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type DescriptorProto_ExtensionRange,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  EnumOptionsSchema,
  EnumValueOptionsSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileOptionsSchema,
  MessageOptionsSchema,
  MethodOptionsSchema,
  type ServiceDescriptorProto,
  ServiceDescriptorProtoSchema,
  ServiceOptionsSchema,
} from '@bufbuild/protobuf/wkt'
import protobuf from 'protobufjs'
import { defaultText } from './default-text.ts'
import { httpOption } from './http-option.ts'
import { jsonName } from './json-name.ts'
import { knownOptions } from './known-options.ts'
import type { ProtoScan } from './scan-proto.ts'

/** @param dependencies file names in the order of the import statements. */
export function toFileDescriptor(
  name: string,
  root: protobuf.Root,
  scan: ProtoScan,
  dependencies: readonly string[],
): FileDescriptorProto {
  const space = packageSpace(root, scan.packageName)
  const options = knownOptions(FileOptionsSchema, { ...root.options, ...space.options })
  return create(FileDescriptorProtoSchema, {
    name,
    package: scan.packageName,
    dependency: [...dependencies],
    publicDependency: scan.imports.flatMap(({ isPublic }, index) => (isPublic ? [index] : [])),
    messageType: childrenOf(space, protobuf.Type).map(messageDescriptor),
    enumType: childrenOf(space, protobuf.Enum).map(enumDescriptor),
    service: childrenOf(space, protobuf.Service).map(serviceDescriptor),
    extension: childrenOf(space, protobuf.Field).map((field) => extensionDescriptor(field)),
    ...(scan.syntax === 'proto3' ? { syntax: 'proto3' } : {}),
    ...(options === null ? {} : { options }),
  })
}

function packageSpace(root: protobuf.Root, packageName: string): protobuf.NamespaceBase {
  let space: protobuf.NamespaceBase = root
  for (const part of packageName === '' ? [] : packageName.split('.')) {
    const found = space.get(part)
    if (!(found instanceof protobuf.Namespace)) return space
    space = found
  }
  return space
}

function childrenOf<T extends protobuf.ReflectionObject>(
  space: protobuf.NamespaceBase,
  kind: abstract new (...args: never[]) => T,
): T[] {
  return space.nestedArray.filter((child): child is T => child instanceof kind)
}

function messageDescriptor(type: protobuf.Type): DescriptorProto {
  const oneofs = orderedOneofs(type)
  const oneofIndex = new Map(oneofs.map(({ name }, index) => [name, index]))
  // The parser also adds what extensions of this file add to the message.
  const fields = type.fieldsArray.filter(({ declaringField }) => declaringField === null)
  const options = knownOptions(MessageOptionsSchema, type.options)
  return create(DescriptorProtoSchema, {
    name: type.name,
    field: fields.map((field) => fieldDescriptor(field, oneofIndex)),
    oneofDecl: oneofs.map(({ name }) => ({ name })),
    nestedType: [
      ...childrenOf(type, protobuf.Type).map(messageDescriptor),
      ...fields.filter((field) => field instanceof protobuf.MapField).map(mapEntry),
    ],
    enumType: childrenOf(type, protobuf.Enum).map(enumDescriptor),
    extension: childrenOf(type, protobuf.Field).map((field) => extensionDescriptor(field)),
    extensionRange: rangesOf(type.extensions) as DescriptorProto_ExtensionRange[],
    reservedRange: rangesOf(type.reserved),
    reservedName: namesOf(type.reserved),
    ...(options === null ? {} : { options }),
  })
}

/** Synthetic oneofs of proto3 `optional` come last, as every protobuf runtime expects. */
function orderedOneofs(type: protobuf.Type): protobuf.OneOf[] {
  const real = type.oneofsArray.filter((oneof) => !isSynthetic(oneof))
  return [...real, ...type.oneofsArray.filter(isSynthetic)]
}

function isSynthetic(oneof: protobuf.OneOf): boolean {
  return oneof.fieldsArray.length === 1 && isProto3Optional(oneof.fieldsArray[0])
}

function isProto3Optional(field: protobuf.FieldBase | undefined): boolean {
  return field?.options?.['proto3_optional'] === true
}

function fieldDescriptor(
  field: protobuf.Field,
  oneofIndex: ReadonlyMap<string, number>,
): FieldDescriptorProto {
  const isMap = field instanceof protobuf.MapField
  const descriptor = baseField(field)
  if (isMap) {
    descriptor.label = FieldDescriptorProto_Label.REPEATED
    descriptor.type = FieldDescriptorProto_Type.MESSAGE
    descriptor.typeName = mapEntryName(field.name)
  }
  if (isGroup(field)) {
    descriptor.name = field.type.toLowerCase()
    descriptor.jsonName = jsonName(descriptor.name)
    descriptor.type = FieldDescriptorProto_Type.GROUP
  }
  const index = field.partOf === null ? undefined : oneofIndex.get(field.partOf.name)
  if (index !== undefined) descriptor.oneofIndex = index
  if (isProto3Optional(field)) descriptor.proto3Optional = true
  return descriptor
}

/** A group declares its type in the same breath, beside the field. */
function isGroup(field: protobuf.Field): boolean {
  const declared = field.parent?.nested?.[field.type]
  return (
    declared instanceof protobuf.Type &&
    (declared as { group?: boolean }).group === true &&
    field.name.toLowerCase() === field.type.toLowerCase()
  )
}

function extensionDescriptor(field: protobuf.Field): FieldDescriptorProto {
  const descriptor = baseField(field)
  descriptor.extendee = field.extend ?? ''
  if (isProto3Optional(field)) descriptor.proto3Optional = true
  return descriptor
}

function baseField(field: protobuf.Field): FieldDescriptorProto {
  const { default: defaultValue, ...written } = field.options ?? {}
  const options = knownOptions(FieldOptionsSchema, written)
  const scalar = SCALARS.get(field.type)
  return create(FieldDescriptorProtoSchema, {
    name: field.name,
    number: field.id,
    label: LABELS.get(field.rule ?? 'optional') ?? FieldDescriptorProto_Label.OPTIONAL,
    ...(scalar === undefined ? { typeName: field.type } : { type: scalar }),
    jsonName:
      typeof written['json_name'] === 'string' ? written['json_name'] : jsonName(field.name),
    ...(defaultValue === undefined ? {} : { defaultValue: defaultText(field.type, defaultValue) }),
    ...(options === null ? {} : { options }),
  })
}

function mapEntry(field: protobuf.MapField): DescriptorProto {
  const part = (name: string, number: number, type: string): FieldDescriptorProto => {
    const scalar = SCALARS.get(type)
    return create(FieldDescriptorProtoSchema, {
      name,
      number,
      label: FieldDescriptorProto_Label.OPTIONAL,
      jsonName: name,
      ...(scalar === undefined ? { typeName: type } : { type: scalar }),
    })
  }
  return create(DescriptorProtoSchema, {
    name: mapEntryName(field.name),
    field: [part('key', 1, field.keyType), part('value', 2, field.type)],
    options: { mapEntry: true },
  })
}

/** `my_map` has the entry type `MyMapEntry`. */
function mapEntryName(fieldName: string): string {
  const words = fieldName.replaceAll(/(?:^|_)([a-z])|_/g, (_all, letter: string | undefined) =>
    (letter ?? '').toUpperCase(),
  )
  return `${words}Entry`
}

function enumDescriptor(type: protobuf.Enum): EnumDescriptorProto {
  const options = knownOptions(EnumOptionsSchema, type.options)
  return create(EnumDescriptorProtoSchema, {
    name: type.name,
    value: Object.entries(type.values).map(([name, number]) => {
      const valueOptions = knownOptions(EnumValueOptionsSchema, type.valuesOptions?.[name])
      return { name, number, ...(valueOptions === null ? {} : { options: valueOptions }) }
    }),
    reservedRange: numberRanges(type.reserved).map(([start, end]) => ({ start, end })),
    reservedName: namesOf(type.reserved),
    ...(options === null ? {} : { options }),
  })
}

function serviceDescriptor(service: protobuf.Service): ServiceDescriptorProto {
  const options = knownOptions(ServiceOptionsSchema, service.options)
  return create(ServiceDescriptorProtoSchema, {
    name: service.name,
    method: service.methodsArray.map((method) => {
      const http = httpOption(method.parsedOptions as Record<string, unknown>[] | null)
      const known = knownOptions(MethodOptionsSchema, method.options)
      const methodOptions = http === null ? known : (known ?? create(MethodOptionsSchema))
      if (methodOptions !== null && http !== null) methodOptions.$unknown = [http]
      return {
        name: method.name,
        inputType: method.requestType,
        outputType: method.responseType,
        ...(method.requestStream === true ? { clientStreaming: true } : {}),
        ...(method.responseStream === true ? { serverStreaming: true } : {}),
        ...(methodOptions === null ? {} : { options: methodOptions }),
      }
    }),
    ...(options === null ? {} : { options }),
  })
}

type Ranges = (number[] | string)[] | undefined

function numberRanges(ranges: Ranges): [number, number][] {
  return (ranges ?? []).flatMap((range) =>
    typeof range === 'string'
      ? []
      : [[range[0] ?? 0, range[1] ?? range[0] ?? 0] as [number, number]],
  )
}

/** Ends are exclusive in a message, inclusive in an enum. */
function rangesOf(ranges: Ranges): { start: number; end: number }[] {
  return numberRanges(ranges).map(([start, end]) => ({ start, end: end + 1 }))
}

function namesOf(ranges: Ranges): string[] {
  return (ranges ?? []).filter((range) => typeof range === 'string')
}

const LABELS: ReadonlyMap<string, FieldDescriptorProto_Label> = new Map(
  Object.entries({
    optional: FieldDescriptorProto_Label.OPTIONAL,
    required: FieldDescriptorProto_Label.REQUIRED,
    repeated: FieldDescriptorProto_Label.REPEATED,
  }),
)

/** A map, as a type may be named like a member of every object. */
const SCALARS: ReadonlyMap<string, FieldDescriptorProto_Type> = new Map(
  Object.entries({
    double: FieldDescriptorProto_Type.DOUBLE,
    float: FieldDescriptorProto_Type.FLOAT,
    int64: FieldDescriptorProto_Type.INT64,
    uint64: FieldDescriptorProto_Type.UINT64,
    int32: FieldDescriptorProto_Type.INT32,
    fixed64: FieldDescriptorProto_Type.FIXED64,
    fixed32: FieldDescriptorProto_Type.FIXED32,
    bool: FieldDescriptorProto_Type.BOOL,
    string: FieldDescriptorProto_Type.STRING,
    bytes: FieldDescriptorProto_Type.BYTES,
    uint32: FieldDescriptorProto_Type.UINT32,
    sfixed32: FieldDescriptorProto_Type.SFIXED32,
    sfixed64: FieldDescriptorProto_Type.SFIXED64,
    sint32: FieldDescriptorProto_Type.SINT32,
    sint64: FieldDescriptorProto_Type.SINT64,
  }),
)
