/**
 * The process that reads one bundle from a stranger: it may run out of memory, time or stack without taking
 * the engine along. Its job is its argument, the upload its stdin, its answer one line on stdout.
 */
import { setPriority } from 'node:os'
import { type ValidatorAnswer, ValidatorJob } from '../ingest/child-protocol.ts'
import { runJob } from '../ingest/run-job.ts'

/** Validation of a flood of uploads must not slow the services beside it. */
const NICENESS = 5

setPriority(NICENESS)
const job = ValidatorJob.parse(JSON.parse(process.argv[2] ?? ''))
if (job.source.kind !== 'stdin')
  // The parent holds the other end open as long as it lives.
  process.stdin.on('end', () => process.exit(1)).resume()

const answer = await runJob(job, process.stdin).catch((thrown: unknown): ValidatorAnswer => {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const code = (thrown as NodeJS.ErrnoException).code ?? 'UNKNOWN'
  return { kind: 'fault', code, message }
})
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0))
