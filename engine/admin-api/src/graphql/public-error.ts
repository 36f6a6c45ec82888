import { GraphQLError } from 'graphql'
import { INVALID_DOCUMENT } from './to-graphql-error.ts'

const WRONG_VARIABLE = /^(Variable "\$\w+") got invalid value /
/** Where in the variable, at the end of what is said before the reason. */
const PLACE = / at "[^"]*"$/

/**
 * An error of a library in the form of all others: with a code, the request's id, and nothing of what was sent. Values
 * of variables can be secrets, and a body that is no JSON can hold some.
 */
export function publicError(error: GraphQLError, requestId: string): GraphQLError {
  const { originalError: brokenBody, ...extensions } = error.extensions
  return new GraphQLError(withoutValue(error), {
    nodes: error.nodes ?? null,
    positions: error.positions ?? null,
    source: error.source ?? null,
    path: error.path ?? null,
    originalError: error.originalError ?? null,
    extensions: {
      ...extensions,
      // A body that could not be read at all is no answer of GraphQL.
      ...(brokenBody === undefined ? {} : { http: { status: 400 } }),
      code: extensions['code'] ?? INVALID_DOCUMENT,
      requestId,
    },
  })
}

/** graphql-js repeats the whole value of a variable that does not fit, and again in the reason. */
function withoutValue({ message, originalError }: GraphQLError): string {
  const variable = WRONG_VARIABLE.exec(message)?.[1]
  if (variable === undefined) return message
  const reason = originalError?.message ?? ''
  const place = PLACE.exec(message.slice(0, -`; ${reason}`.length))?.[0] ?? ''
  const said = reason
    .replace(/^Value ".*" does not exist in/s, 'The value does not exist in')
    .replace(/(?<= value): .*$/s, '')
  return `${variable} got an invalid value${place}; ${said}`
}
