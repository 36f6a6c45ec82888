/** A client of ModelStreamInfer that sends what it is told, right or wrong. */
import type { ClientHttp2Stream } from 'node:http2'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  ModelInferRequestSchema,
  type ModelStreamInferResponse,
  ModelStreamInferResponseSchema,
} from '@kre/contracts/oip'
import { waitUntil } from '@kre/service-kit'
import { FrameReader } from '../../../grpc/frame-reader.ts'
import { frame, type RawResponse, readResponse } from '../../../testing/raw-client.ts'
import type { Scene } from '../../../testing/scene.ts'
import type { Request } from './oip-grpc-client.ts'

export type InferStream = {
  readonly stream: ClientHttp2Stream
  readonly responses: ModelStreamInferResponse[]
  send(...requests: Request[]): void
  /** Bytes as they are. */
  sendBytes(bytes: Uint8Array): void
  /** At least so many responses. */
  received(count: number): Promise<void>
  /** Sends no more, and waits for the end. */
  finish(): Promise<RawResponse>
  readonly closed: Promise<RawResponse>
}

export function openInferStream(
  { client }: Pick<Scene, 'client'>,
  headers: Record<string, string> = {},
): InferStream {
  const stream = client.open('/inference.GRPCInferenceService/ModelStreamInfer', headers)
  const responses: ModelStreamInferResponse[] = []
  const reader = new FrameReader(2 ** 30, {
    reserve: () => true,
    onMessage: (message) =>
      void responses.push(fromBinary(ModelStreamInferResponseSchema, message)),
    onFailure(failure) {
      throw new Error(failure.message)
    },
  })
  const closed = readResponse(stream)
  stream.on('data', (chunk: Buffer) => reader.push(chunk))
  return {
    stream,
    responses,
    closed,
    send(...requests) {
      for (const request of requests) stream.write(encodeRequest(request))
    },
    sendBytes: (bytes) => void stream.write(bytes),
    async received(count) {
      await waitUntil(`${count} responses`, () => responses.length >= count)
    },
    finish() {
      stream.end()
      return closed
    },
  }
}

/** One length-prefixed ModelInferRequest. */
export function encodeRequest(request: Request): Buffer {
  return frame(toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request)))
}
