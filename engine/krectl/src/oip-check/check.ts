/** One thing that is asked of a server of the Open Inference Protocol. */
export type Check = {
  /** Of the requirement, `O1` to `O18`, or of an extension, `X1` to `X4`; see docs/doors.md. */
  readonly id: string
  readonly protocol: 'grpc' | 'rest'
  readonly name: string
  /**
   * @throws Unmet when the server does something else than the published text says, Lax when it does what that leaves
   *   open and we refuse, Skipped when the server or model gives no occasion.
   */
  readonly run: () => Promise<void>
}

export type Outcome = 'passed' | 'failed' | 'lax' | 'skipped'

export type CheckResult = {
  readonly id: string
  readonly protocol: 'grpc' | 'rest'
  readonly name: string
  readonly outcome: Outcome
  /** Why it did not pass; empty when it did. */
  readonly detail: string
}

export class Unmet extends Error {
  override name = 'Unmet'
}

export class Lax extends Error {
  override name = 'Lax'
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
    if (error instanceof Skipped) return { outcome: 'skipped', detail }
    return { outcome: error instanceof Lax ? 'lax' : 'failed', detail }
  }
}

export function expectThat(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Unmet(otherwise)
}

/** Where the published text says nothing of it. */
export function wishThat(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Lax(otherwise)
}

/** How a wrong request that was accepted is judged: by the published text, or by our reading of it. */
export type Rule = 'text' | 'ours'

export function accepted(rule: Rule, what: string): Unmet | Lax {
  return rule === 'text' ? new Unmet(what) : new Lax(what)
}
