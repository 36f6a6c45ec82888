import type { Runtime } from '@kre/store'
import { toGraphqlUser } from './to-graphql-user.ts'

/** The fields of `Runtime` that its row answers; the others have resolvers. */
export function toGraphqlRuntime(runtime: Runtime) {
  return {
    id: runtime.id,
    name: runtime.name,
    description: runtime.description,
    creationDate: runtime.createdAt.toISOString(),
    creationAuthor: toGraphqlUser(runtime.createdBy),
  }
}
export type GraphqlRuntime = ReturnType<typeof toGraphqlRuntime>
