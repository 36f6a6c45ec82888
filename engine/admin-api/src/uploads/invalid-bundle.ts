import { KreError, type KrtIssue } from '@kre/contracts'

/** A bundle that became no version, with everything that is wrong with it. */
export class InvalidBundle extends KreError {
  override name = 'InvalidBundle'
  readonly issues: readonly KrtIssue[]
  constructor(issues: readonly KrtIssue[]) {
    const errors = issues.filter((issue) => issue.level === 'error').length
    const count = `${errors} ${errors === 1 ? 'error' : 'errors'}`
    super('invalid-argument', `the bundle has ${count}: no version was created`, {
      reason: 'krt_validation_error',
    })
    this.issues = issues
  }
}
