/** `google/api/annotations.proto` and what it imports, so that a bundle need not bring them along. */
import { create } from '@bufbuild/protobuf'
import {
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { jsonName } from './json-name.ts'

const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label
const HTTP = 'google/api/http.proto'
const RULE = '.google.api.HttpRule'
const PATTERNS = ['get', 'put', 'post', 'delete', 'patch']

const http = create(FileDescriptorProtoSchema, {
  name: HTTP,
  package: 'google.api',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Http',
      field: [
        message('rules', 1, RULE, REPEATED),
        scalar('fully_decode_reserved_expansion', 2, FieldDescriptorProto_Type.BOOL),
      ],
    },
    {
      name: 'HttpRule',
      oneofDecl: [{ name: 'pattern' }],
      field: [
        text('selector', 1),
        ...PATTERNS.map((name, i) => inPattern(text(name, i + 2))),
        inPattern(message('custom', 8, '.google.api.CustomHttpPattern')),
        text('body', 7),
        text('response_body', 12),
        message('additional_bindings', 11, RULE, REPEATED),
      ],
    },
    { name: 'CustomHttpPattern', field: [text('kind', 1), text('path', 2)] },
  ],
})

const annotations = create(FileDescriptorProtoSchema, {
  name: 'google/api/annotations.proto',
  package: 'google.api',
  syntax: 'proto3',
  dependency: [HTTP, 'google/protobuf/descriptor.proto'],
  extension: [{ ...message('http', 72_295_728, RULE), extendee: '.google.protobuf.MethodOptions' }],
})

export const GOOGLE_API_FILES: readonly FileDescriptorProto[] = [http, annotations]

function scalar(name: string, number: number, type: FieldDescriptorProto_Type) {
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    type,
    label: OPTIONAL,
    jsonName: jsonName(name),
  })
}

function text(name: string, number: number): FieldDescriptorProto {
  return scalar(name, number, FieldDescriptorProto_Type.STRING)
}

function message(
  name: string,
  number: number,
  typeName: string,
  label: FieldDescriptorProto_Label = OPTIONAL,
): FieldDescriptorProto {
  return { ...scalar(name, number, FieldDescriptorProto_Type.MESSAGE), typeName, label }
}

function inPattern(field: FieldDescriptorProto): FieldDescriptorProto {
  return { ...field, oneofIndex: 0 }
}
