/** Requests of the Open Inference Protocol over HTTP, for tests. */
import type { DoorsScene } from '../../../testing/doors-version.ts'

type RestInputs = Record<
  string,
  { datatype: string; shape: unknown; data?: unknown; parameters?: object }
>

/** A value for each input of the model `tensors` that is not optional. */
export const REST_INPUTS: RestInputs = {
  floats: { datatype: 'FP32', shape: [2], data: [1.5, 2] },
  doubles: { datatype: 'FP64', shape: [1], data: [0.1] },
  ints: { datatype: 'INT32', shape: [1], data: [-5] },
  longs: { datatype: 'INT64', shape: [0], data: [] },
  uints: { datatype: 'UINT32', shape: [1], data: [4294967295] },
  ulongs: { datatype: 'UINT64', shape: [0], data: [] },
  flags: { datatype: 'BOOL', shape: [1], data: [true] },
  texts: { datatype: 'BYTES', shape: [2], data: ['ä', ''] },
  blobs: { datatype: 'BYTES', shape: [0], data: [] },
  scalar: { datatype: 'INT64', shape: [1], data: [1] },
  text: { datatype: 'BYTES', shape: [1], data: ['hi'] },
}

/** A whole request to `tensors`, with some inputs as told; undefined = left out. */
export function restBody(changes: Partial<RestInputs> = {}, more: object = {}): string {
  return JSON.stringify({
    inputs: Object.entries({ ...REST_INPUTS, ...changes })
      .filter(([, input]) => input !== undefined)
      .map(([name, input]) => ({ name, ...input })),
    ...more,
  })
}

export async function sendRest(at: Pick<DoorsScene, 'url'>, path: string, init: RequestInit = {}) {
  const response = await fetch(at.url + path, init)
  const bytes = Buffer.from(await response.arrayBuffer())
  const length = response.headers.get('inference-header-content-length')
  const json = String(length === null ? bytes : bytes.subarray(0, Number(length)))
  return {
    status: response.status,
    headers: response.headers,
    text: json,
    json: JSON.parse(json) as Record<string, unknown>,
    /** Behind the JSON. */
    binary: length === null ? Buffer.alloc(0) : bytes.subarray(Number(length)),
  }
}
