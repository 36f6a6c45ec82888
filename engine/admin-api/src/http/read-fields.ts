import type { IncomingMessage } from 'node:http'
import { KiB } from '@kre/contracts'
import type { z } from 'zod'
import { HttpProblem } from './http-problem.ts'
import { readBody } from './read-body.ts'
import { mediaType } from './request-origin.ts'

/** What somebody who is not signed in may send. */
const BODY_BYTES_MAX = 64 * KiB

/** Fields that break their rules, in the words of KRE's answers. */
export class InvalidFields extends HttpProblem {
  override name = 'InvalidFields'
  override readonly errors: readonly { field: string; type: string; description: string }[]
  constructor(issues: readonly z.core.$ZodIssue[]) {
    super('invalid-argument', { status: 400, wireCode: 'validation_error' }, 'Invalid data')
    this.errors = issues.map(({ path, code, message }) => ({
      field: path.join('.') || '(root)',
      type: code,
      description: message,
    }))
  }
}

/**
 * The fields of a body: JSON, or a form.
 *
 * @throws HttpProblem 400 `invalid_json`, 400 `validation_error`, 413, 408, 415 for another type.
 */
export async function readFields<S extends z.ZodType>(
  req: IncomingMessage,
  signal: AbortSignal,
  schema: S,
): Promise<z.output<S>> {
  const type = mediaType(req.headers)
  const text = (await readBody(req, signal, BODY_BYTES_MAX)).toString('utf8')
  const parsed = schema.safeParse(parse(type, text))
  if (!parsed.success) throw new InvalidFields(parsed.error.issues)
  return parsed.data
}

function parse(type: string, text: string): unknown {
  // A button without fields sends a form of no bytes, some clients without a type.
  if (type === 'application/x-www-form-urlencoded' || (type === '' && text === ''))
    return Object.fromEntries(new URLSearchParams(text))
  if (type !== '' && type !== 'application/json')
    throw new HttpProblem(
      'invalid-argument',
      { status: 415, wireCode: 'invalid_json' },
      'send the fields as JSON, with the header Content-Type: application/json',
    )
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new HttpProblem(
      'invalid-argument',
      { status: 400, wireCode: 'invalid_json' },
      'the body is no JSON document',
    )
  }
}
