/** The answer to an inference over REST. */
import { KreError } from '@kre/contracts/runtime'
import type { HeaderFields } from '../door-port.ts'
import { JSON_TYPE } from '../status-json.ts'
import type { Element } from './datatype.ts'
import { encodeRaw } from './raw-tensor.ts'
import type { Tensor } from './tensor.ts'

/**
 * @throws KreError `failed-precondition` for elements that JSON has no form for.
 */
export function writeRestAnswer(
  head: Readonly<Record<string, string>>,
  tensors: readonly Tensor[],
  isBinary: (output: string) => boolean,
): { fields: HeaderFields; body: Buffer } {
  const pieces: Uint8Array[] = []
  const outputs = tensors.map((tensor) => {
    const { name, datatype, shape, elements, contentType } = tensor
    const parameters: Record<string, string | number> =
      contentType === null ? {} : { content_type: contentType }
    let data: unknown[] | undefined
    if (isBinary(name)) {
      const bytes = encodeRaw(datatype, elements)
      pieces.push(bytes)
      parameters['binary_data_size'] = bytes.length
    } else data = elements.map((element) => jsonElement(element, name))
    return {
      name,
      datatype: datatype.name,
      shape,
      ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
      ...(data === undefined ? {} : { data }),
    }
  })
  const json = Buffer.from(JSON.stringify({ ...head, outputs }))
  if (pieces.length === 0) return { fields: [['content-type', JSON_TYPE]], body: json }
  return {
    fields: [
      ['content-type', 'application/octet-stream'],
      ['inference-header-content-length', String(json.length)],
    ],
    body: Buffer.concat([json, ...pieces]),
  }
}

/** The type library does not know it yet (ECMAScript proposal JSON.parse source text access). */
const withRaw = JSON as typeof JSON & { rawJSON(text: string): unknown }

/** @throws KreError `failed-precondition` for what JSON has no form for. */
export function jsonElement(element: Element, output: string): unknown {
  const no = (what: string) =>
    new KreError(
      'failed-precondition',
      `output "${output}" has an element that is ${what}, which JSON can't hold: ask for it as binary data`,
    )
  if (typeof element === 'bigint') return withRaw.rawJSON(String(element))
  if (typeof element === 'number' && !Number.isFinite(element)) throw no(String(element))
  if (!(element instanceof Uint8Array)) return element
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(element)
  } catch {
    throw no('not UTF-8')
  }
}
