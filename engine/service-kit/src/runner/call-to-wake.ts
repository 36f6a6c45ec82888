import { controlSubject, SECOND_MS, type WorkflowRef } from '@kre/contracts/runtime'

/** The engine hears of a workflow no more often from one process; a call that is lost is made good by the next one. */
const EVERY_MS = SECOND_MS

/**
 * Asks the engine to start nodes that sleep. Call it again for as long as something waits for them: nobody answers, and an
 * engine that was not there has not heard.
 *
 * @param publish may do nothing, or throw, while the broker is away.
 * @param now monotonic ms.
 */
export function createWakeCaller(
  publish: (subject: string, data: Uint8Array) => void,
  now: () => number = () => performance.now(),
): (workflow: WorkflowRef) => void {
  const calledAt = new Map<string, number>()
  return (workflow) => {
    const subject = controlSubject(workflow, 'wake')
    const key = `${subject} ${workflow.workflow}`
    if (now() - (calledAt.get(key) ?? -Infinity) < EVERY_MS) return
    try {
      publish(subject, Buffer.from(JSON.stringify({ workflow: workflow.workflow })))
      calledAt.set(key, now())
    } catch {
      calledAt.delete(key) // The next call says it.
    }
  }
}
