import type { GraphqlContext } from '../graphql/context.ts'
import type { Resolvers } from '../graphql/guard-resolvers.ts'
import { MUTATION_OPERATIONS } from './mutation-operations.ts'
import { WITHOUT_ROW, type Input } from './operations.ts'
import { perform, type PerformDeps } from './perform.ts'

type Mutations = Resolvers[string]

/** The same mutations, each with its record; refusals by whatever is inside of them included. */
export function auditMutations(mutations: Mutations, deps: PerformDeps): Mutations {
  const audited = Object.entries(mutations).map(([field, resolve]): [string, typeof resolve] => [
    field,
    (parent: never, args: never, context: GraphqlContext) =>
      perform(
        deps,
        {
          name: `Mutation.${field}`,
          operation: MUTATION_OPERATIONS[field] ?? WITHOUT_ROW,
          input: inputOf(args),
          principal: context.principal,
          requestId: context.requestId,
        },
        () => resolve(parent, args, context),
      ),
  ])
  return Object.fromEntries(audited)
}

function inputOf(args: { input?: Input }): Input {
  return args.input ?? {}
}
