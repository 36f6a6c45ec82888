import { readFileSync } from 'node:fs'
import {
  getOperationAST,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  type ExecutionArgs,
  type ExecutionResult,
} from 'graphql'
import { createSchema, createYoga, isAsyncIterable, type Plugin } from 'graphql-yoga'
import type { Logger } from '@kre/service-kit'
import { auditMutations } from '../audit/audit-mutations.ts'
import type { FeatureDeps } from '../context.ts'
import { authorizeResolvers } from './authorize-resolvers.ts'
import type { Principal } from '../principal.ts'
import type { GraphqlContext } from './context.ts'
import { documentLimits, TOKENS_MAX, uploadsOnly } from './document-limits.ts'
import { createFields } from './fields.ts'
import { guardResolvers, guardSubscribers } from './guard-resolvers.ts'
import { createMutations } from './mutations.ts'
import { createQueries } from './queries.ts'
import { createSubscriptions } from './subscriptions.ts'
import {
  readUiOperations,
  resolveOperation,
  type PersistedOperations,
  type SentOperation,
} from './persisted-operations.ts'
import { publicError } from './public-error.ts'
import { SCALARS } from './scalars.ts'

export const GRAPHQL_PATH = '/graphql'

type Execute = (args: ExecutionArgs) => unknown
/** A subscription that may begin: `subscribe` returns its events, or what is wrong with it. */
export type PreparedSubscription = { readonly args: ExecutionArgs; readonly subscribe: Execute }

/** The engine behind all doors of GraphQL: callers are known, bodies were read within their limits. */
export type Graphql = {
  answer(
    request: { url: URL; method: string; headers: Record<string, string>; body: Buffer | null },
    context: GraphqlContext,
  ): Promise<Response>
  /** For doors without requests. Other operations than subscriptions have no business there. */
  prepareSubscription(
    params: SentOperation & { variables: Record<string, unknown>; operationName: string | null },
    context: GraphqlContext,
  ): Promise<PreparedSubscription | readonly GraphQLError[]>
}

/** GraphQL without any of the library's own doors: no CORS, no playground, no batching, no multipart. */
export function createGraphql(deps: FeatureDeps): Graphql {
  const { logger } = deps
  const operations = readUiOperations()
  const yoga = createYoga<GraphqlContext>({
    schema: createApiSchema(deps),
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
    plugins: [readAddress, takePersisted(operations), limitDocuments, nameErrors],
  })
  return {
    answer: async ({ url, method, headers, body }, context) =>
      yoga.fetch(
        url.href,
        {
          method,
          headers,
          body: body === null ? null : new Uint8Array(body),
          signal: context.signal,
        },
        context,
      ),

    async prepareSubscription({ variables, operationName, ...sent }, context) {
      const enveloped = yoga.getEnveloped(context)
      const named = (errors: readonly GraphQLError[]) => publicErrors(errors, context.requestId)
      try {
        const query = resolveOperation(operations, sent, context.onlyPersisted)
        const document = enveloped.parse(query ?? '') as ReturnType<typeof parse>
        const errors = enveloped.validate(enveloped.schema, document) as readonly GraphQLError[]
        if (errors.length > 0) return named(errors)
        if (getOperationAST(document, operationName)?.operation !== 'subscription')
          return named([new GraphQLError('a WebSocket takes subscriptions only: use HTTP')])
        const args = {
          schema: enveloped.schema,
          document,
          operationName,
          variableValues: variables,
          contextValue: (await enveloped.contextFactory()) as unknown,
        }
        const subscribe: Execute = async (own) => {
          const events = (await enveloped.subscribe(own)) as ExecutionResult
          return isAsyncIterable(events) ? events : withPublicErrors(events, context.requestId)
        }
        return { args, subscribe }
      } catch (error) {
        if (error instanceof GraphQLError) return named([error])
        throw error
      }
    },
  }
}

function createApiSchema(deps: FeatureDeps) {
  const { logger } = deps
  return createSchema<GraphqlContext>({
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
      ...SCALARS,
      Subscription: guardSubscribers(
        authorizeResolvers('Subscription', createSubscriptions(deps)),
        logger,
      ),
    },
  })
}

/** Puts the text into requests that name their operation, and refuses who may do nothing else. */
function takePersisted(operations: PersistedOperations): Plugin<object, GraphqlContext> {
  return {
    onParams({ params, setParams, context }) {
      const { onlyPersisted, requestId } = context as unknown as GraphqlContext
      // What is no object is refused by the next check.
      if (typeof params !== 'object' || params === null) return
      try {
        const query = resolveOperation(operations, params, onlyPersisted)
        if (query !== null) setParams({ ...params, query })
      } catch (error) {
        throw error instanceof GraphQLError ? publicError(error, requestId) : error
      }
    },
  }
}

const limitDocuments: Plugin<object, GraphqlContext> = {
  onParse({ setParseFn }) {
    setParseFn((source: Parameters<typeof parse>[0], options: Parameters<typeof parse>[1]) =>
      parse(source, { ...options, maxTokens: TOKENS_MAX }),
    )
  },
  onValidate({ addValidationRule, context }) {
    addValidationRule(documentLimits)
    if ((context as unknown as GraphqlContext).file !== null) addValidationRule(uploadsOnly)
    if (!hasAnyLevel((context as unknown as GraphqlContext).principal))
      addValidationRule(NoSchemaIntrospectionCustomRule)
  },
}

/** Gives errors that come from libraries, of bodies, documents and variables, the form of all others. */
const nameErrors: Plugin<object, GraphqlContext> = {
  onExecutionResult(executed) {
    const { result, context } = executed
    if (result !== undefined && !isAsyncIterable(result))
      executed.setResult(withPublicErrors(result, context.requestId))
  },
  // What failed before there was anything to execute comes here alone.
  onResultProcess(processed) {
    const { result, serverContext } = processed
    if (!isAsyncIterable(result) && !Array.isArray(result))
      processed.setResult(withPublicErrors(result, serverContext.requestId))
  },
}

function withPublicErrors<R extends ExecutionResult>(result: R, requestId: string): R {
  const { errors } = result
  return errors === undefined ? result : { ...result, errors: publicErrors(errors, requestId) }
}

function publicErrors(errors: readonly GraphQLError[], requestId: string): GraphQLError[] {
  return errors.map((error) => publicError(error, requestId))
}

/** Variables of a GET are JSON inside its address, which yoga takes for granted. */
const readAddress: Plugin<object, GraphqlContext> = {
  onRequestParse({ url }) {
    for (const name of ['variables', 'extensions']) {
      const text = url.searchParams.get(name)
      if (text !== null && text !== '' && !isJson(text))
        throw new GraphQLError(`${name} of the address are no JSON`, {
          extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
        })
    }
  },
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Who has no level anywhere has nothing to ask for, so not what could be asked, either. */
function hasAnyLevel({ accessLevel, grants }: Principal): boolean {
  return accessLevel !== null || grants.size > 0
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
