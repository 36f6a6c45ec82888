import type { Context } from '../context.ts'
import { formatCall, runProgram, type Call } from '../programs/run-program.ts'

/** Runs calls one after the other, or only says what they are. @throws KreError of the first one that fails. */
export async function runCalls(
  context: Context,
  calls: readonly Call[],
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<void> {
  for (const call of calls) {
    if (dryRun) context.output.line({ program: call.program, args: call.args }, formatCall(call))
    else {
      context.output.step(`$ ${formatCall(call)}`)
      await runProgram(context, call)
    }
  }
}
