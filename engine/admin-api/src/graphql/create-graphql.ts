import { readFileSync } from 'node:fs'
import { GraphQLError, parse } from 'graphql'
import { createSchema, createYoga, isAsyncIterable, type Plugin } from 'graphql-yoga'
import type { Logger } from '@kre/service-kit'
import { auditMutations } from '../audit/audit-mutations.ts'
import type { FeatureDeps } from '../context.ts'
import { authorizeResolvers } from './authorize-resolvers.ts'
import type { GraphqlContext } from './context.ts'
import { documentLimits, TOKENS_MAX } from './document-limits.ts'
import { createFields } from './fields.ts'
import { guardResolvers, guardSubscribers } from './guard-resolvers.ts'
import { createMutations } from './mutations.ts'
import { createQueries } from './queries.ts'
import { createSubscriptions } from './subscriptions.ts'
import { INVALID_DOCUMENT } from './to-graphql-error.ts'

export const GRAPHQL_PATH = '/graphql'

/** Answers one GraphQL request whose caller is known and whose body was read within its limit. */
export type Graphql = (
  request: { url: URL; method: string; headers: Record<string, string>; body: Buffer | null },
  context: GraphqlContext,
) => Promise<Response>

/** The GraphQL engine without any of its doors: no CORS, no playground, no batching, no multipart. */
export function createGraphql(deps: FeatureDeps): Graphql {
  const { logger } = deps
  const yoga = createYoga<GraphqlContext>({
    schema: createSchema<GraphqlContext>({
      typeDefs: readFileSync(new URL(import.meta.resolve('@kre/contracts/schema.graphql')), 'utf8'),
      resolvers: {
        ...guardResolvers(
          {
            Query: authorizeResolvers('Query', createQueries(deps)),
            // Outside of the authorisation: what is refused has its record, too.
            Mutation: auditMutations(authorizeResolvers('Mutation', createMutations(deps)), deps),
            ...createFields(deps),
          },
          logger,
        ),
        Subscription: guardSubscribers(
          authorizeResolvers('Subscription', createSubscriptions(deps)),
          logger,
        ),
      },
    }),
    graphqlEndpoint: GRAPHQL_PATH,
    cors: false,
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    // Faults are logged where they are turned into answers, once.
    logging: false,
    maskedErrors: {
      isDev: false,
      // Only what no resolver let through comes here: it has no message for callers.
      maskError: (error) => maskFault(error, logger),
    },
    plugins: [limitDocuments, nameErrors],
  })
  return async ({ url, method, headers, body }, context) =>
    yoga.fetch(
      url.href,
      {
        method,
        headers,
        body: body === null ? null : new Uint8Array(body),
        signal: context.signal,
      },
      context,
    )
}

const limitDocuments: Plugin = {
  onParse({ setParseFn }) {
    setParseFn((source: Parameters<typeof parse>[0], options: Parameters<typeof parse>[1]) =>
      parse(source, { ...options, maxTokens: TOKENS_MAX }),
    )
  },
  onValidate({ addValidationRule }) {
    addValidationRule(documentLimits)
  },
}

/** Gives the errors of documents and variables, which come from libraries, the form of all others. */
const nameErrors: Plugin<object, GraphqlContext> = {
  onExecutionResult(executed) {
    const { result, context } = executed
    if (result === undefined || isAsyncIterable(result) || result.errors === undefined) return
    const errors = result.errors.map((error) => {
      const code = error.extensions?.['code'] ?? INVALID_DOCUMENT
      return new GraphQLError(error.message, {
        nodes: error.nodes ?? null,
        positions: error.positions ?? null,
        source: error.source ?? null,
        path: error.path ?? null,
        originalError: error.originalError ?? null,
        extensions: { ...error.extensions, code, requestId: context.requestId },
      })
    })
    executed.setResult({ ...result, errors })
  },
}

/** Lets errors of documents and those that were made for callers through; anything else is logged and hidden. */
function maskFault(error: unknown, logger: Logger): Error {
  let original = error
  while (original instanceof GraphQLError && original.originalError !== undefined)
    original = original.originalError
  if (original instanceof GraphQLError) return error as GraphQLError
  logger.error({ err: original }, 'graphql failed outside a resolver')
  return new GraphQLError('the engine failed at this request: its log says why', {
    extensions: { code: 'INTERNAL' },
  })
}
