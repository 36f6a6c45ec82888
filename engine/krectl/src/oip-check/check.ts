/** One thing that the Open Inference Protocol asks of a server. */
export type Check = {
  /** Of the requirement, `O1` to `O18`; see docs/doors.md. */
  readonly id: string
  readonly protocol: 'grpc' | 'rest'
  readonly name: string
  /** @throws Unmet when the server does something else, Skipped when the model gives no occasion. */
  readonly run: () => Promise<void>
}

export type CheckResult = {
  readonly id: string
  readonly protocol: 'grpc' | 'rest'
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped; empty when it passed. */
  readonly detail: string
}

export class Unmet extends Error {
  override name = 'Unmet'
}

export class Skipped extends Error {
  override name = 'Skipped'
}

/** In order, one at a time: a server that falls over is seen at the check that did it. */
export async function runChecks(
  checks: readonly Check[],
  onResult: (result: CheckResult) => void,
): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const { run, ...check } of checks) {
    const result: CheckResult = { ...check, ...(await outcomeOf(run)) }
    results.push(result)
    onResult(result)
  }
  return results
}

async function outcomeOf(run: Check['run']): Promise<Pick<CheckResult, 'outcome' | 'detail'>> {
  try {
    await run()
    return { outcome: 'passed', detail: '' }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { outcome: error instanceof Skipped ? 'skipped' : 'failed', detail }
  }
}

export function expectThat(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Unmet(otherwise)
}
