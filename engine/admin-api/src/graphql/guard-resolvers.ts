import { GraphQLError } from 'graphql'
import { toKreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { GraphqlContext } from './context.ts'
import { toGraphqlError } from './to-graphql-error.ts'

/** Resolves one field. Each states the parent and the arguments it gets; the schema vouches for them. */
type Resolve = (parent: never, args: never, context: GraphqlContext) => unknown
type Subscribe = (
  parent: never,
  args: never,
  context: GraphqlContext,
) => Promise<AsyncIterableIterator<unknown, undefined>>

/** By type, by field. */
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolve>>>>
/** By field of `Subscription`. */
export type Subscribers = Readonly<Record<string, Subscribe>>

/** The same resolvers, failing with what a caller may see; faults are logged with the request id. */
export function guardResolvers(resolvers: Resolvers, logger: Logger): Resolvers {
  return mapValues(resolvers, (fields) =>
    mapValues(
      fields,
      (resolve): Resolve =>
        (parent, args, context) =>
          reporting(context, logger, async () => resolve(parent, args, context)),
    ),
  )
}

/** The same for subscriptions: when they begin and whenever they yield. */
export function guardSubscribers(
  subscribers: Subscribers,
  logger: Logger,
): Record<string, { subscribe: Subscribe; resolve: (event: unknown) => unknown }> {
  return mapValues(subscribers, (begin) => ({
    async subscribe(parent: never, args: never, context: GraphqlContext) {
      const source = await reporting(context, logger, () => begin(parent, args, context))
      const guarded: AsyncIterableIterator<unknown, undefined> = {
        next: () => reporting(context, logger, () => source.next()),
        return: async () => (await source.return?.()) ?? { done: true, value: undefined },
        [Symbol.asyncIterator]: () => guarded,
      }
      return guarded
    },
    resolve: (event: unknown) => event,
  }))
}

async function reporting<T>(
  { requestId }: GraphqlContext,
  logger: Logger,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof GraphQLError) throw thrown
    const error = toKreError(thrown)
    if (error.code === 'internal' || error.code === 'unavailable')
      logger.error({ requestId, err: error.cause ?? error }, 'graphql operation failed')
    throw toGraphqlError(error, requestId)
  }
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  map: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
