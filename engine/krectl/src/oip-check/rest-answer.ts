/** A server's answer over HTTP, and what may be expected of it. */
import { SECOND_MS } from '@kre/contracts'
import { accepted, expectThat, Lax, type Rule, Unmet } from './check.ts'
import type { Metadata } from './sample-tensors.ts'

export type RestAnswer = {
  readonly status: number
  readonly headers: Headers
  /** Empty when the answer is no JSON object; `text` has it then. */
  readonly json: Readonly<Record<string, unknown>>
  readonly text: string
  readonly bytes: Buffer
}

/** Of the JSON in front of binary tensors. */
export const JSON_LENGTH = 'inference-header-content-length'
/** A call that takes longer counts as failed. */
const CALL_TIMEOUT_MS = 30 * SECOND_MS

export async function sendRest(
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<RestAnswer> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)])
  const response = await fetch(url, { ...init, signal: within })
  const bytes = Buffer.from(await response.arrayBuffer())
  const { status, headers } = response
  const length = headers.get(JSON_LENGTH)
  const text = String(length === null ? bytes : bytes.subarray(0, Number(length)))
  return { status, headers, bytes, text, json: objectIn(text) }
}

export async function expectStatus(
  wanted: number,
  asked: Promise<RestAnswer>,
): Promise<RestAnswer> {
  const answer = await asked
  if (answer.status !== wanted) throw new Unmet(`expected ${wanted}, got ${show(answer)}`)
  return answer
}

/**
 * O7. The published text wants an HTTP error with `{"error": "…"}`; which status it is ("typically 400") is ours.
 *
 * @param rule for a request that is not refused.
 */
export async function expectError(
  wanted: number,
  asked: Promise<RestAnswer>,
  rule: Rule = 'text',
): Promise<void> {
  const answer = await asked
  if (answer.status < 400) throw accepted(rule, `expected ${wanted}, and it was accepted`)
  if (typeof answer.json['error'] !== 'string')
    throw new Unmet(`the failure is not {"error": "…"}: ${show(answer)}`)
  if (answer.status !== wanted) throw new Lax(`expected ${wanted}, got ${show(answer)}`)
}

type RestTensor = { name: string; datatype: string; shape: (number | string)[] }

export function toMetadata({ json }: RestAnswer): Metadata {
  const { name, versions, inputs, outputs } = json
  expectThat(
    Array.isArray(inputs) && Array.isArray(outputs) && typeof name === 'string',
    'the metadata has no name, inputs or outputs',
  )
  const tensors = (side: RestTensor[]) =>
    side.map((tensor) => ({
      $typeName: 'inference.ModelMetadataResponse.TensorMetadata' as const,
      name: tensor.name,
      datatype: tensor.datatype,
      shape: tensor.shape.map(BigInt),
    }))
  return {
    name: name as string,
    // Optional; some write null for none.
    versions: (versions ?? []) as string[],
    inputs: tensors(inputs as RestTensor[]),
    outputs: tensors(outputs as RestTensor[]),
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return {} // each check says what it misses
  }
  return typeof json === 'object' && json !== null ? { ...json } : {}
}

function show({ status, text }: RestAnswer): string {
  return `${status} ${text.slice(0, 120).replaceAll(/\s+/g, ' ')}`.trimEnd()
}
