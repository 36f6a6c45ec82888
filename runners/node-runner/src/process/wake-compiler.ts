import { setFlagsFromString } from 'node:v8'

/** V8's default. */
const CALLS = 3_000

let isAwake = false

/** The best compiler, 7 MiB, is kept out of a process that only waits (`runnerFlags`). One that works wants it soon. */
export function wakeCompiler(): void {
  if (isAwake) return
  isAwake = true
  setFlagsFromString(`--invocation-count-for-turbofan=${CALLS}`)
}
