/** What V8 is told about a runner, on a laptop and in a pod. */
import { MiB } from '@kre/contracts'

/** A share of the limit for the JavaScript heap leaves room for buffers, code and native models. */
const HEAP_SHARE = 0.75
const HEAP_MIB_MIN = 32

/**
 * A node that passes messages on has little that lives long, so V8 needs no large young generation (3 x 16 MiB
 * otherwise), no thread per core to collect it, and no compiler between its first and its best one, whose work space
 * stays. Code that runs hot is optimised as ever, but not for what only a start does often: looking up the paths of
 * modules would load the best compiler, 7 MiB, into every process that waits (by default a function is hot after 3,000
 * calls, and is again from the first message on: `wakeCompiler`; loops have a bound of their own). An entrypoint keeps each request until its answer: in a young generation that
 * small it would copy them all the time. What outlives it there is soon free too, so its old generation may become four
 * times as large before all of it is looked through.
 */
const V8_FLAGS = {
  node: [
    '--max-semi-space-size=1',
    '--no-maglev',
    '--v8-pool-size=1',
    '--invocation-count-for-turbofan=30000',
  ],
  entrypoint: ['--max-semi-space-size=8', '--heap-growing-percent=300', '--v8-pool-size=1'],
} as const

/** @param memoryBytesMax of the whole process. */
export function runnerFlags(kind: 'node' | 'entrypoint', memoryBytesMax: number): string[] {
  const heapMiB = Math.max(HEAP_MIB_MIN, Math.floor((memoryBytesMax * HEAP_SHARE) / MiB))
  return [`--max-old-space-size=${heapMiB}`, ...V8_FLAGS[kind]]
}
