import { GraphQLError } from 'graphql'
import { toKreError } from '@kre/contracts'
import { publicDetails, publicMessage } from '../http/http-problem.ts'
import { InvalidBundle } from '../uploads/invalid-bundle.ts'

/** Code of documents that break the grammar, the schema or a limit. */
export const INVALID_DOCUMENT = 'GRAPHQL_VALIDATION_FAILED'

/** What a caller may see of a failure: `extensions.code` is the error code in capitals. */
export function toGraphqlError(thrown: unknown, requestId: string): GraphQLError {
  const error = toKreError(thrown)
  const details = publicDetails(error)
  return new GraphQLError(publicMessage(error, requestId), {
    extensions: {
      code: error.code.replaceAll('-', '_').toUpperCase(),
      ...(Object.keys(details).length > 0 ? { details } : {}),
      ...(error instanceof InvalidBundle ? { issues: error.issues } : {}),
      requestId,
    },
  })
}
