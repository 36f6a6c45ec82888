/** grpc.reflection.v1 and v1alpha ServerReflection (grpc/doc/server-reflection.md); the two differ in name only. */
import { GRPC_STATUS, KiB, ProtoReader, ProtoWriter } from '@kre/contracts/runtime'
import { createFailure, type Failure } from '../grpc/failure.ts'
import { FrameReader } from '../grpc/frame-reader.ts'
import { openServerStream } from '../grpc/server-stream.ts'
import type { Http2Stream } from '../http2/http2-stream.ts'
import {
  createDescriptorIndex,
  type DescribedFile,
  type DescriptorIndex,
} from './descriptor-index.ts'
import { ownDescriptors } from './own-descriptors.ts'

/** Names and numbers only: longer questions are none. */
const REQUEST_BYTES_MAX = 64 * KiB
const NOT_FOUND = GRPC_STATUS['not-found']

const indexes = new WeakMap<Uint8Array, DescriptorIndex>()

/** Answers the questions of one stream, in order, until the caller ends it. */
export function serveReflection(stream: Http2Stream, descriptorSet: Uint8Array): void {
  const index = indexFor(descriptorSet)
  const out = openServerStream(stream)
  // Files that this caller has already; a client asks for many symbols of the same files.
  const sent = new Set<string>()
  let isOver = false
  const end = (failure: Failure | null) => {
    if (isOver) return
    isOver = true
    reader.stop()
    out.end(failure)
  }
  const reader = new FrameReader(REQUEST_BYTES_MAX, {
    reserve: () => true,
    onMessage(message, isCompressed) {
      const answer = isCompressed ? null : answerReflection(index, message, sent)
      if (answer === null) end(notReflection())
      else if (!out.write(answer)) stream.pause()
    },
    onFailure: end,
  })
  stream.handler = {
    onData: (chunk) => reader.push(chunk),
    onEnd: () => end(reader.isInsideFrame ? notReflection() : null),
    onDrain: () => stream.resume(),
    onClose: () => reader.stop(),
  }
}

function indexFor(descriptorSet: Uint8Array): DescriptorIndex {
  let index = indexes.get(descriptorSet)
  if (index === undefined) {
    index = createDescriptorIndex([descriptorSet, ownDescriptors()])
    indexes.set(descriptorSet, index)
  }
  return index
}

/**
 * One ServerReflectionRequest to its ServerReflectionResponse; null when the bytes are none.
 *
 * @param sent names of files the caller has; those it gets are added.
 */
export function answerReflection(
  index: DescriptorIndex,
  request: Uint8Array,
  sent: Set<string>,
): Uint8Array | null {
  let answer: (writer: ProtoWriter) => void = (writer) =>
    writeError(writer, GRPC_STATUS['invalid-argument'], 'the request asks for nothing')
  let host = ''
  const files = (found: readonly DescribedFile[] | null, what: string) => {
    answer = (writer) => writeFiles(writer, found, what, sent)
  }
  try {
    const reader = new ProtoReader(request)
    while (reader.next()) {
      if (reader.field === 1) host = reader.string()
      else if (reader.field === 3) {
        const name = reader.string()
        files(index.byName(name), `file "${name}"`)
      } else if (reader.field === 4) {
        const symbol = reader.string()
        files(index.bySymbol(symbol), `symbol "${symbol}"`)
      } else if (reader.field === 5) {
        const { type, number } = readExtension(reader.message())
        files(index.byExtension(type, number), `extension ${number} of "${type}"`)
      } else if (reader.field === 6) {
        const type = reader.string()
        answer = (writer) => writeExtensions(writer, type, index.extensionsOf(type))
      } else if (reader.field === 7) {
        reader.skip()
        answer = (writer) => writeServices(writer, index.services)
      } else reader.skip()
    }
  } catch {
    return null // not a protobuf message
  }
  const writer = new ProtoWriter(4 * KiB)
  writer.string(1, host)
  writer.bytes(2, request)
  answer(writer)
  return writer.finish()
}

function readExtension(reader: ProtoReader): { type: string; number: number } {
  let type = ''
  let number = 0
  while (reader.next()) {
    if (reader.field === 1) type = reader.string()
    else if (reader.field === 2) number = reader.uint()
    else reader.skip()
  }
  return { type, number }
}

function writeFiles(
  writer: ProtoWriter,
  files: readonly DescribedFile[] | null,
  what: string,
  sent: Set<string>,
): void {
  const first = files?.[0]
  if (files === null || first === undefined) {
    writeError(writer, NOT_FOUND, `${what} is not known here`)
    return
  }
  const response = writer.beginMessage(4)
  for (const file of files) {
    // The file itself is the answer, even to a repeated question.
    if (file !== first && sent.has(file.name)) continue
    sent.add(file.name)
    writer.bytes(1, file.bytes)
  }
  writer.endMessage(response)
}

function writeExtensions(
  writer: ProtoWriter,
  type: string,
  numbers: readonly number[] | null,
): void {
  if (numbers === null) {
    writeError(writer, NOT_FOUND, `type "${type}" is not known here`)
    return
  }
  const response = writer.beginMessage(5)
  writer.string(1, type)
  for (const number of numbers) writer.uint(2, number)
  writer.endMessage(response)
}

function writeServices(writer: ProtoWriter, services: readonly string[]): void {
  const response = writer.beginMessage(6)
  for (const name of services) {
    const service = writer.beginMessage(1)
    writer.string(1, name)
    writer.endMessage(service)
  }
  writer.endMessage(response)
}

function writeError(writer: ProtoWriter, code: number, message: string): void {
  const response = writer.beginMessage(7)
  writer.uint(1, code)
  writer.string(2, message)
  writer.endMessage(response)
}

function notReflection(): Failure {
  return createFailure(
    'invalid-argument',
    'BAD_MESSAGE',
    'the message is not an uncompressed ServerReflectionRequest',
  )
}
