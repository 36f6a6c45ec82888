/** What the nodes are told of an inference beside its tensors: its parameters and id, as request headers. */
import { KiB, KreError, PRIORITIES, PRIORITY_METADATA } from '@kre/contracts/runtime'
import { parseGrpcTimeout } from '../../grpc/grpc-timeout.ts'
import { RequestHeaders } from '../../http2/request-headers.ts'

export type Parameter = string | boolean | number | bigint
export type Parameters = ReadonlyMap<string, Parameter>

/** Headers of the entrypoint and of everybody are not for parameters. */
const PARAMETER_PREFIX = 'x-krt-param-'
const TIMEOUT_PARAMETER = 'timeout_ms'
const PRIORITY_PARAMETER = 'priority'
const IDEMPOTENCY_PARAMETER = 'idempotency_key'
const TIMEOUT_HEADER = 'grpc-timeout'
const RESERVED: ReadonlyMap<string, string> = new Map([
  [TIMEOUT_PARAMETER, TIMEOUT_HEADER],
  [PRIORITY_PARAMETER, PRIORITY_METADATA],
  [IDEMPOTENCY_PARAMETER, 'x-krt-idempotency-key'],
])

const PARAMETER_NAME = /^[\w.-]{1,128}$/
const PARAMETERS_MAX = 128
/** Names and values of one request; as much as headers may have, whose place they take. */
const PARAMETER_BYTES_MAX = 16 * KiB
const IDEMPOTENCY_KEY_CHARS_MAX = 256
/** A `grpc-timeout` has eight digits; a day is no deadline. */
const TIMEOUT_MS_MAX = 99_999_999
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/

/**
 * @param from headers of the HTTP or gRPC request, which go along.
 * @throws KreError `invalid-argument` for a parameter that can't be metadata, or says something else than a header.
 */
export function inferenceHeaders(
  from: RequestHeaders,
  { id, parameters }: { readonly id: string; readonly parameters: Parameters },
): RequestHeaders {
  const headers = new RequestHeaders()
  if (UUID.test(id)) headers.pairs.push('x-request-id', id)
  checkSize(parameters)
  for (const [name, value] of parameters) {
    const header = headerOf(name)
    const text = headerValue(from, name, value)
    if (text === null) continue
    const given = header === TIMEOUT_HEADER ? undefined : from.get(header)
    if (given === undefined) headers.pairs.push(header, text)
    // A gateway in front may have set it, and the body must not talk its way past that.
    else if (given !== text)
      throw invalidParameter(name, `is ${show(text)}, and the header ${header} is not: send one`)
  }
  headers.pairs.push(...from.pairs)
  return headers
}

function headerOf(name: string): string {
  return RESERVED.get(name) ?? PARAMETER_PREFIX + checkName(name)
}

/** Null: it is not sent. */
function headerValue(from: RequestHeaders, name: string, value: Parameter): string | null {
  switch (name) {
    case TIMEOUT_PARAMETER:
      return shorterTimeout(from, value)
    case PRIORITY_PARAMETER:
      return priorityOf(value)
    case IDEMPOTENCY_PARAMETER:
      return idempotencyKeyOf(value)
    default:
      return textOf(name, value)
  }
}

function checkSize(parameters: Parameters): void {
  if (parameters.size > PARAMETERS_MAX)
    throw new KreError(
      'invalid-argument',
      `the request has ${parameters.size} parameters: at most ${PARAMETERS_MAX} are taken`,
    )
  let bytes = 0
  for (const [name, value] of parameters)
    bytes += Buffer.byteLength(name) + Buffer.byteLength(String(value))
  if (bytes > PARAMETER_BYTES_MAX)
    throw new KreError(
      'invalid-argument',
      `the request's parameters have ${bytes} bytes: they travel as metadata, which takes ${PARAMETER_BYTES_MAX}; send more as a tensor`,
    )
}

function checkName(name: string): string {
  if (PARAMETER_NAME.test(name)) return name
  throw invalidParameter(
    name,
    'has a name that can\'t be metadata: use 1 to 128 letters, digits, "_", "-" and "."',
  )
}

function textOf(name: string, value: Parameter): string {
  const text = String(value)
  if (CONTROL.test(text) || !text.isWellFormed())
    throw invalidParameter(name, 'has a control or a broken character, which metadata can not hold')
  return text
}

/** A name, or a level of Triton's: 1 is the highest, 0 leaves it to the server. */
function priorityOf(value: Parameter): string | null {
  const isLevel = typeof value === 'number' || typeof value === 'bigint'
  if (isLevel && Number(value) === 0) return null
  const named = PRIORITIES.find((name, i) => (isLevel ? Number(value) === i + 1 : value === name))
  if (named !== undefined) return named
  throw invalidParameter(
    PRIORITY_PARAMETER,
    `is ${show(value)}: give "high", "normal" or "low", or 1, 2, 3 for these, or 0`,
  )
}

function idempotencyKeyOf(value: Parameter): string {
  if (typeof value === 'string' && value !== '' && value.length <= IDEMPOTENCY_KEY_CHARS_MAX)
    return textOf(IDEMPOTENCY_PARAMETER, value)
  throw invalidParameter(
    IDEMPOTENCY_PARAMETER,
    `is ${show(value)}: give a text of 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} characters`,
  )
}

/** The first of several headers of a name counts, so this one has to be the shorter of both. */
function shorterTimeout(headers: RequestHeaders, value: Parameter): string {
  const isNumber = typeof value === 'string' ? /^\d{1,15}$/.test(value) : typeof value !== 'boolean'
  const ms = Number(value)
  if (!isNumber || !Number.isInteger(ms) || ms < 0)
    throw invalidParameter(TIMEOUT_PARAMETER, `is ${show(value)}: give whole milliseconds`)
  const given = headers.get('grpc-timeout')
  const givenMs = parseGrpcTimeout(given)
  // One that is no timeout is refused where all are.
  if (given !== undefined && (givenMs === null || givenMs < ms)) return given
  return `${Math.min(ms, TIMEOUT_MS_MAX)}m`
}

function show(value: Parameter): string {
  return typeof value === 'string' ? JSON.stringify(value).slice(0, 40) : String(value)
}

function invalidParameter(name: string, problem: string): KreError {
  return new KreError('invalid-argument', `parameter "${name}" ${problem}`)
}
