import { accessTo, authorizeOperation } from '../access/operations.ts'
import type { Resolvers, Subscribers } from './guard-resolvers.ts'

/**
 * The same resolvers of a root type, each behind its row of the table of operations.
 *
 * @throws KreError `internal` for a field without a row.
 */
export function authorizeResolvers<R extends Resolvers[string] | Subscribers>(
  type: 'Query' | 'Mutation' | 'Subscription',
  resolvers: R,
): R {
  const entries = Object.entries(resolvers).map(([field, resolve]) => {
    const operation = `${type}.${field}`
    accessTo(operation)
    const authorized: typeof resolve = (parent, args, context) => {
      authorizeOperation(context.principal, operation, args)
      return resolve(parent, args, context)
    }
    return [field, authorized]
  })
  return Object.fromEntries(entries) as R
}
