/** A client that knows nothing of KRE: grpc-js, and the types that the server's reflection tells it. */
import {
  create,
  createFileRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type FileRegistry,
  type JsonValue,
} from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'

const identity = (bytes: Uint8Array) => Buffer.from(bytes)
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'

export type ForeignClient = Disposable & {
  /** @throws grpc-js's ServiceError. */
  call(json: JsonValue, metadata?: Readonly<Record<string, string>>): Promise<JsonValue>
}

/** @param service full name, for example `hello.Entrypoint`. */
export async function connectForeign(
  address: string,
  service: string,
  rpc: string,
): Promise<ForeignClient> {
  const client = new Client(address, credentials.createInsecure())
  const registry = await reflect(client, service)
  const method = registry.getService(service)?.methods.find(({ name }) => name === rpc)
  if (method === undefined) throw new Error(`reflection knows no ${service}/${rpc}`)
  return {
    call: (json, metadata = {}) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          `/${service}/${rpc}`,
          identity,
          identity,
          toBinary(method.input, fromJson(method.input, json)),
          metadataOf(metadata),
          { deadline: Date.now() + 30_000 },
          (error: ServiceError | null, answer?: Buffer) =>
            error !== null || answer === undefined
              ? reject(error ?? new Error('no answer'))
              : resolve(
                  toJson(method.output, fromBinary(method.output, answer), {
                    alwaysEmitImplicit: true,
                  }),
                ),
        )
      }),
    [Symbol.dispose]: () => client.close(),
  }
}

function metadataOf(pairs: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(pairs)) metadata.set(name, value)
  return metadata
}

/** Asks for the file of a symbol (field 4) and takes the descriptors of the answer (field 4, in it field 1). */
async function reflect(client: Client, symbol: string): Promise<FileRegistry> {
  const request = new BinaryWriter().tag(4, WireType.LengthDelimited).string(symbol).finish()
  const stream = client.makeBidiStreamRequest(REFLECTION, identity, identity)
  const answer = await new Promise<Buffer>((resolve, reject) => {
    stream.once('data', resolve).once('error', reject)
    stream.write(request)
  })
  stream.end()
  const files = fieldsOf(answer, 4)
    .flatMap((response) => fieldsOf(response, 1))
    .map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
  // Imports come after what imports them; the registry wants them first.
  return createFileRegistry(create(FileDescriptorSetSchema, { file: files.toReversed() }))
}

function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message)
  const found: Uint8Array[] = []
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === wanted) found.push(reader.bytes())
    else reader.skip(wireType, field)
  }
  return found
}
