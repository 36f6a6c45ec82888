import { HttpProblem } from '../http/http-problem.ts'
import type { RecordRefusedUpload } from '../routes/graphql-route.ts'
import { MUTATION_OPERATIONS } from './mutation-operations.ts'
import { WITHOUT_ROW } from './operations.ts'
import { recordRefusal, type PerformDeps } from './perform.ts'

/** The record of an upload by GraphQL that was refused from its headers or its form, before there was a mutation. */
export function createRecordRefusedUpload(deps: PerformDeps): RecordRefusedUpload {
  return async function recordRefusedUpload({ principal, requestId }, error) {
    // Those are refused because there were too many: a record for each would make that worse.
    if (error instanceof HttpProblem && error.status === 429) return
    const attempt = {
      name: 'Mutation.createVersion',
      operation: MUTATION_OPERATIONS['createVersion'] ?? WITHOUT_ROW,
      input: {},
      principal,
      requestId,
    }
    try {
      await recordRefusal(deps, attempt, error)
    } catch (thrown) {
      // Nothing was done, so nothing has to be refused because of it.
      deps.logger.error({ err: thrown }, 'a refusal could not be written to the audit log')
    }
  }
}
