import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fromBinary, createFileRegistry, create } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { GRPC_STATUS, ProtoReader, ProtoWriter } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { frame, readResponse } from '../testing/raw-client.ts'
import { openScene } from '../testing/scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const path = (generation: string) =>
  `/grpc.reflection.${generation}.ServerReflection/ServerReflectionInfo`

function ask(field: number, value: string): Buffer {
  const writer = new ProtoWriter()
  if (value === '') writer.endMessage(writer.beginMessage(field))
  else writer.string(field, value)
  return frame(writer.finish())
}

type Answer = {
  files: Uint8Array[]
  services: string[]
  errorCode: number
  numbers: number[] | null
}

function readAnswers(body: Buffer): Answer[] {
  const answers: Answer[] = []
  for (let at = 0; at < body.length;) {
    const length = body.readUInt32BE(at + 1)
    answers.push(readAnswer(body.subarray(at + 5, at + 5 + length)))
    at += 5 + length
  }
  return answers
}

function readAnswer(bytes: Uint8Array): Answer {
  const answer: Answer = { files: [], services: [], errorCode: 0, numbers: null }
  const reader = new ProtoReader(bytes)
  while (reader.next()) {
    if (reader.field === 4) {
      const files = reader.message()
      while (files.next()) answer.files.push(files.bytes())
    } else if (reader.field === 5) {
      const numbers = reader.message()
      answer.numbers = []
      while (numbers.next()) {
        if (numbers.field === 2) answer.numbers.push(numbers.uint())
        else numbers.skip()
      }
    } else if (reader.field === 6) {
      const services = reader.message()
      while (services.next()) {
        const service = services.message()
        while (service.next()) answer.services.push(service.string())
      }
    } else if (reader.field === 7) {
      const error = reader.message()
      while (error.next()) {
        if (error.field === 1) answer.errorCode = error.uint()
        else error.skip()
      }
    } else reader.skip()
  }
  return answer
}

const SERVICES = [
  'demo.Entrypoint',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  'inference.GRPCInferenceService',
]

describe('reflection', () => {
  test.each(['v1', 'v1alpha'])(
    '%s lists services and gives files a client can build on',
    async (generation) => {
      await using scene = await openScene(nats)
      const body = Buffer.concat([
        ask(7, ''),
        ask(4, 'demo.Entrypoint'),
        ask(4, 'demo.Entrypoint.Greet'),
        ask(4, 'demo.Request'),
        ask(3, 'common/part.proto'),
        ask(4, `grpc.reflection.${generation}.ServerReflection`),
        ask(4, 'grpc.health.v1.HealthCheckResponse.ServingStatus'),
      ])
      const response = await scene.client.call(path(generation), body)
      expect(response.status).toBe(0)
      const answers = readAnswers(response.body)
      expect(answers.length).toBe(7)
      expect(answers[0]?.services).toEqual(SERVICES)
      const names = answers.map(({ files }) =>
        files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name),
      )
      expect(names.slice(1)).toEqual([
        ['demo.proto', 'common/part.proto'],
        ['demo.proto'],
        ['demo.proto'],
        ['common/part.proto'],
        [`grpc/reflection/${generation}/reflection.proto`],
        ['grpc/health/v1/health.proto'],
      ])
      const file = answers.flatMap(({ files }) =>
        files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)),
      )
      // Imports first, each file once.
      const ordered = [...new Map(file.toReversed().map((each) => [each.name, each])).values()]
      const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: ordered }))
      expect(registry.getService('demo.Entrypoint')?.methods.map(({ name }) => name)).toEqual([
        'Greet',
        'Other',
        'Unused',
      ])
    },
  )

  test('answers what it does not know with an error and goes on', async () => {
    await using scene = await openScene(nats)
    const extension = new ProtoWriter()
    const inner = extension.beginMessage(5)
    extension.string(1, 'demo.Request')
    extension.uint(2, 100)
    extension.endMessage(inner)
    const body = Buffer.concat([
      ask(4, 'no.Such'),
      ask(3, 'no.proto'),
      frame(extension.finish()),
      ask(6, 'demo.Request'),
      ask(6, 'no.Such'),
      frame(''),
    ])
    const answers = readAnswers((await scene.client.call(path('v1'), body)).body)
    const notFound = GRPC_STATUS['not-found']
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([
      notFound,
      notFound,
      notFound,
      0,
      notFound,
      GRPC_STATUS['invalid-argument'],
    ])
    expect(answers[3]?.numbers).toEqual([])
  })

  test('answers each question when it comes, not at the end', async () => {
    await using scene = await openScene(nats)
    const stream = scene.client.open(path('v1'))
    const response = readResponse(stream)
    let bytes = 0
    stream.on('data', (chunk: Buffer) => void (bytes += chunk.length))
    stream.write(ask(7, ''))
    await waitUntil('first answer', () => bytes > 0)
    stream.end()
    expect((await response).status).toBe(0)
  })

  test('ends with INVALID_ARGUMENT on nonsense', async () => {
    await using scene = await openScene(nats)
    const answer = await scene.client.call(path('v1'), frame('\xff\xff'))
    expect(answer.status).toBe(GRPC_STATUS['invalid-argument'])
  })

  test('is UNIMPLEMENTED where it is switched off', async () => {
    await using scene = await openScene(nats, { launch: { reflection: false } })
    const answer = await scene.client.call(path('v1'), ask(7, ''))
    expect(answer.status).toBe(GRPC_STATUS.unimplemented)
  })
})
