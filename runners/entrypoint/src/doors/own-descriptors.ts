/** FileDescriptorSet of the services that an entrypoint has beside the bundle's: health, reflection, inference. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  EnumValueDescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodDescriptorProtoSchema,
  OneofDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { file_open_inference } from '@kre/contracts/oip'

type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema> & { name: string }
type MethodInit = MessageInitShape<typeof MethodDescriptorProtoSchema>

const { STRING, BYTES, INT32, ENUM, MESSAGE } = FieldDescriptorProto_Type

export function ownDescriptors(): Uint8Array {
  const file = [health(), reflection('v1'), reflection('v1alpha'), file_open_inference.proto]
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }))
}

function health() {
  const pkg = 'grpc.health.v1'
  const statusType = `.${pkg}.HealthCheckResponse.ServingStatus`
  const response = message('HealthCheckResponse', [
    { ...field('status', 1, ENUM), typeName: statusType },
  ])
  const values = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
  response.enumType.push(
    create(EnumDescriptorProtoSchema, {
      name: 'ServingStatus',
      value: values.map((name, number) => create(EnumValueDescriptorProtoSchema, { name, number })),
    }),
  )
  const rpc = { inputType: `.${pkg}.HealthCheckRequest`, outputType: `.${pkg}.HealthCheckResponse` }
  return create(FileDescriptorProtoSchema, {
    name: 'grpc/health/v1/health.proto',
    package: pkg,
    syntax: 'proto3',
    messageType: [message('HealthCheckRequest', [field('service', 1, STRING)]), response],
    service: [
      service('Health', [
        { name: 'Check', ...rpc },
        { name: 'Watch', ...rpc, serverStreaming: true },
      ]),
    ],
  })
}

function reflection(generation: 'v1' | 'v1alpha') {
  const pkg = `grpc.reflection.${generation}`
  const ofType = (name: string, number: number, type: string): FieldInit => ({
    ...field(name, number, MESSAGE),
    typeName: `.${pkg}.${type}`,
  })
  return create(FileDescriptorProtoSchema, {
    name: `grpc/reflection/${generation}/reflection.proto`,
    package: pkg,
    syntax: 'proto3',
    messageType: [
      message(
        'ServerReflectionRequest',
        [
          field('host', 1, STRING),
          choice(field('file_by_filename', 3, STRING)),
          choice(field('file_containing_symbol', 4, STRING)),
          choice(ofType('file_containing_extension', 5, 'ExtensionRequest')),
          choice(field('all_extension_numbers_of_type', 6, STRING)),
          choice(field('list_services', 7, STRING)),
        ],
        'message_request',
      ),
      message('ExtensionRequest', [
        field('containing_type', 1, STRING),
        field('extension_number', 2, INT32),
      ]),
      message(
        'ServerReflectionResponse',
        [
          field('valid_host', 1, STRING),
          ofType('original_request', 2, 'ServerReflectionRequest'),
          choice(ofType('file_descriptor_response', 4, 'FileDescriptorResponse')),
          choice(ofType('all_extension_numbers_response', 5, 'ExtensionNumberResponse')),
          choice(ofType('list_services_response', 6, 'ListServiceResponse')),
          choice(ofType('error_response', 7, 'ErrorResponse')),
        ],
        'message_response',
      ),
      message('FileDescriptorResponse', [repeated(field('file_descriptor_proto', 1, BYTES))]),
      message('ExtensionNumberResponse', [
        field('base_type_name', 1, STRING),
        repeated(field('extension_number', 2, INT32)),
      ]),
      message('ListServiceResponse', [repeated(ofType('service', 1, 'ServiceResponse'))]),
      message('ServiceResponse', [field('name', 1, STRING)]),
      message('ErrorResponse', [field('error_code', 1, INT32), field('error_message', 2, STRING)]),
    ],
    service: [
      service('ServerReflection', [
        {
          name: 'ServerReflectionInfo',
          inputType: `.${pkg}.ServerReflectionRequest`,
          outputType: `.${pkg}.ServerReflectionResponse`,
          clientStreaming: true,
          serverStreaming: true,
        },
      ]),
    ],
  })
}

/** @param oneof name of the one that the fields made by `choice` belong to. */
function message(name: string, fields: FieldInit[], oneof?: string) {
  return create(DescriptorProtoSchema, {
    name,
    field: fields.map((each) => create(FieldDescriptorProtoSchema, each)),
    oneofDecl: oneof === undefined ? [] : [create(OneofDescriptorProtoSchema, { name: oneof })],
  })
}
function service(name: string, methods: MethodInit[]) {
  const method = methods.map((each) => create(MethodDescriptorProtoSchema, each))
  return create(ServiceDescriptorProtoSchema, { name, method })
}
function field(name: string, number: number, type: FieldDescriptorProto_Type): FieldInit {
  return { name, number, type, label: FieldDescriptorProto_Label.OPTIONAL }
}
function repeated(of: FieldInit): FieldInit {
  return { ...of, label: FieldDescriptorProto_Label.REPEATED }
}
/** A member of its message's only oneof. */
function choice(of: FieldInit): FieldInit {
  return { ...of, oneofIndex: 0 }
}
