import { GraphQLError, GraphQLScalarType } from 'graphql'

/** RFC 3339 with an offset; the calendar itself is checked by `Date`. */
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** Dates go out as the strings they always were; the type tells programs what is in them. */
const DateTime = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  serialize(value) {
    if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
    return requireDateTime(value)
  },
  parseValue: requireDateTime,
})

/** The bytes come beside the document: a resolver takes them from its context. */
const Upload = new GraphQLScalarType<true, never>({
  name: 'Upload',
  serialize() {
    throw new GraphQLError('a file can be sent, never asked for')
  },
  parseValue: () => true,
  parseLiteral() {
    throw new GraphQLError('a file comes in a variable of a multipart request')
  },
})

export const SCALARS = { DateTime, Upload }

function requireDateTime(value: unknown): string {
  if (typeof value === 'string' && RFC3339.test(value) && !Number.isNaN(Date.parse(value)))
    return value
  throw new GraphQLError('a DateTime is a string as RFC 3339 has it: 2026-11-21T19:15:45Z')
}
