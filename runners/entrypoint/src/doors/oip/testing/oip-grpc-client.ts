/** Requests of the Open Inference Protocol over gRPC, for tests. */
import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import type {
  ModelInferRequest_InferInputTensorSchema,
  ModelInferRequestSchema,
} from '@kre/contracts/oip'
import type { DoorsScene } from '../../../testing/doors-version.ts'
import { frame } from '../../../testing/raw-client.ts'

export type Input = MessageInitShape<typeof ModelInferRequest_InferInputTensorSchema>
export type Request = MessageInitShape<typeof ModelInferRequestSchema>

type GrpcAnswer<M extends DescMethodUnary> = {
  status: number
  message: string
  response: MessageShape<M['output']>
  requestId: unknown
}

/** Calls an rpc of the service as bytes, right or wrong. */
export async function callOip<M extends DescMethodUnary>(
  at: Pick<DoorsScene, 'client'>,
  { name, input, output }: M,
  request: MessageInitShape<M['input']>,
  headers: Record<string, string> = {},
): Promise<GrpcAnswer<M>> {
  const bytes = toBinary(input, create(input, request))
  const answer = await at.client.call(
    `/inference.GRPCInferenceService/${name}`,
    frame(bytes),
    headers,
  )
  const { status, message, payload, metadata } = answer
  return {
    status,
    message,
    response: fromBinary(output, payload) as MessageShape<M['output']>,
    requestId: metadata['request-id'],
  }
}

/** A value for each input of the model `tensors` that is not optional. */
export const VALUES: Record<string, Input> = {
  floats: { datatype: 'FP32', shape: [3n], contents: { fp32Contents: [1.5, NaN, Infinity] } },
  doubles: { datatype: 'FP64', shape: [2n], contents: { fp64Contents: [0.1, -Infinity] } },
  ints: { datatype: 'INT32', shape: [2n], contents: { intContents: [-(2 ** 31), 2 ** 31 - 1] } },
  longs: {
    datatype: 'INT64',
    shape: [2n],
    contents: { int64Contents: [-(2n ** 63n), 2n ** 53n + 1n] },
  },
  uints: { datatype: 'UINT32', shape: [1n], contents: { uintContents: [2 ** 32 - 1] } },
  ulongs: { datatype: 'UINT64', shape: [1n], contents: { uint64Contents: [2n ** 64n - 1n] } },
  flags: { datatype: 'BOOL', shape: [2n], contents: { boolContents: [true, false] } },
  texts: {
    datatype: 'BYTES',
    shape: [2n],
    contents: { bytesContents: [Buffer.from('ä'), Buffer.alloc(0)] },
  },
  blobs: { datatype: 'BYTES', shape: [1n], contents: { bytesContents: [Buffer.of(0, 255)] } },
  scalar: { datatype: 'INT64', shape: [1n], contents: { int64Contents: [7n] } },
  text: { datatype: 'BYTES', shape: [1n], contents: { bytesContents: [Buffer.from('hi')] } },
}

/** A whole request to `tensors`, with some inputs as told; null = left out. */
export function tensorsRequest(
  changes: Record<string, Input | null> = {},
  more: Request = {},
): Request {
  const inputs = Object.entries({ ...VALUES, ...changes })
    .filter((entry): entry is [string, Input] => entry[1] !== null)
    .map(([name, input]) => ({ name, ...input }))
  return { modelName: 'tensors', inputs, ...more }
}
