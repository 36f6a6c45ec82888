/** A failure as google.rpc.Status in its JSON form, which is what HTTP callers get. */
import type { Failure } from '../grpc/failure.ts'
import type { HeaderFields } from './door-port.ts'
import { failureFields, httpStatusOf } from './http-status.ts'

export type RenderedFailure = { status: number; fields: HeaderFields; body: Uint8Array }

/** Turns a failure into a response, in the words of one door. */
export type RenderFailure = (failure: FieldFailure, requestId: string) => RenderedFailure

/** A failure that knows which field of the request it is about. */
export type FieldFailure = Failure & { readonly fieldPath?: string }

export const JSON_TYPE = 'application/json'
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.'

export const renderStatus: RenderFailure = (failure, requestId) => ({
  status: httpStatusOf(failure),
  fields: [['content-type', JSON_TYPE], ...failureFields(failure, requestId)],
  body: Buffer.from(JSON.stringify(statusJson(failure, requestId))),
})

export function statusJson(failure: FieldFailure, requestId: string): object {
  const { workflow, node, fieldPath } = failure
  const metadata = Object.entries({ node, workflow, requestId }).filter(
    ([, value]) => value !== undefined && value !== '',
  )
  const details: object[] = [
    {
      '@type': `${TYPE_PREFIX}ErrorInfo`,
      reason: failure.reason,
      domain: 'kre',
      metadata: Object.fromEntries(metadata),
    },
  ]
  if (fieldPath !== undefined)
    details.push({
      '@type': `${TYPE_PREFIX}BadRequest`,
      fieldViolations: [{ field: fieldPath, description: failure.message }],
    })
  return { code: failure.status, message: failure.message.toWellFormed(), details }
}
