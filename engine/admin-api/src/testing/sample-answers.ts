/** Answers of the right types to any document, for tests of clients: what it asks for is checked, and nothing is behind it. */
import { readFileSync } from 'node:fs'
import {
  buildSchema,
  execute,
  getNamedType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  validate,
  type GraphQLOutputType,
} from 'graphql'

const sdl = readFileSync(new URL(import.meta.resolve('@kre/contracts/schema.graphql')), 'utf8')
const schema = buildSchema(sdl)
/** One event of a subscription is what a query of the same fields answers. */
const eventSchema = buildSchema(
  sdl
    .replace('query: Query', 'query: Subscription')
    .replace(/\n {2}subscription: Subscription/, ''),
)

export type SampleAnswer = {
  /** As in the table of operations: `Query.me`. */
  operations: string[]
  result: unknown
}

/** @throws Error for a document that the schema does not allow. */
export async function sampleAnswer(
  query: string,
  variableValues: Record<string, unknown>,
): Promise<SampleAnswer> {
  const document = parse(query)
  const errors = validate(schema, document)
  if (errors.length > 0) throw new Error(`${errors.map(String).join('; ')} in ${query}`)
  const operations = document.definitions.flatMap((definition) =>
    definition.kind === 'OperationDefinition'
      ? definition.selectionSet.selections.flatMap((field) =>
          field.kind === 'Field' ? `${capital(definition.operation)}.${field.name.value}` : [],
        )
      : [],
  )
  const isStream = operations[0]?.startsWith('Subscription.') === true
  const result = await execute({
    schema: isStream ? eventSchema : schema,
    document: isStream ? parse(query.replace(/^\s*subscription/, 'query')) : document,
    variableValues,
    fieldResolver: (_source, _args, _context, info) => sample(info.returnType),
  })
  return { operations, result }
}

const SCALARS: Readonly<Record<string, unknown>> = {
  Int: 1,
  Float: 1.5,
  Boolean: true,
  ID: 'id',
  DateTime: '2026-01-31T12:00:00Z',
}

/** A value of a type; lists have one item. */
function sample(type: GraphQLOutputType): unknown {
  if (isNonNullType(type)) return sample(type.ofType)
  if (isListType(type)) return [sample(type.ofType)]
  if (isObjectType(type)) return {}
  const named = getNamedType(type)
  return isEnumType(named) ? named.getValues()[0]?.value : (SCALARS[named.name] ?? 'text')
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}
