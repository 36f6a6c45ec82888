/** Starts the validator's process, feeds it, and ends it in time, whatever it was given. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { KreError } from '@kre/contracts'
import { ValidatorAnswer, type ValidatorJob } from './child-protocol.ts'
import { createWorkClock } from './work-clock.ts'

/** Parsers of hostile text may ask for gigabytes; the contents of files are never on this heap. */
const HEAP_MIB = 256
/** Facts list up to 10,000 paths of 240 bytes and a descriptor set of some hundred KiB. */
const ANSWER_BYTES_MAX = 32 * 1_024 * 1_024
const STDERR_BYTES_KEPT = 4_096
const PROGRAM = fileURLToPath(new URL('../validator/main.ts', import.meta.url))
const NODE_FLAGS = [
  `--max-old-space-size=${HEAP_MIB}`,
  // Large spaces for young objects, and a heap that grows by leaps, would cost another 150 MiB for a text that is
  // parsed once.
  '--max-semi-space-size=4',
  '--optimize-for-size',
  '--experimental-vm-modules',
  '--disable-proto=delete',
  '--no-warnings',
]

export type ValidatorOutcome =
  | { readonly kind: 'answer'; readonly answer: ValidatorAnswer }
  /** It ended without an answer: `reason` completes "the validator …". */
  | { readonly kind: 'died'; readonly reason: string }

/**
 * @param stream the upload, for a job that reads stdin; read no faster than the child reads.
 * @throws KreError `cancelled` when `signal` fires; whatever `stream` throws.
 */
export async function runValidator(
  job: ValidatorJob,
  {
    stream,
    workMs,
    signal,
  }: { stream?: AsyncIterable<Uint8Array>; workMs: number; signal?: AbortSignal },
): Promise<ValidatorOutcome> {
  throwIfAborted(signal)
  const child = spawn(process.execPath, [...NODE_FLAGS, PROGRAM, JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {},
    cwd: job.scratch,
    // Its own process group, so that what it started ends with it.
    detached: true,
  })
  const kill = (): void => killGroup(child)
  const clock = createWorkClock(workMs, kill)
  signal?.addEventListener('abort', kill)
  try {
    const feeding = stream === undefined ? Promise.resolve() : feed(child, stream, clock, kill)
    const [outcome, fed] = await Promise.all([collect(child), settle(feeding)])
    throwIfAborted(signal)
    if (fed !== null) throw fed
    if (clock.expired())
      return { kind: 'died', reason: `needed more than ${Math.round(workMs / 1_000)} s` }
    return outcome
  } finally {
    signal?.removeEventListener('abort', kill)
    clock.stop()
    kill()
  }
}

/** An exit code of 0 means that it has waited for all it started; its number may be somebody else's by now. */
function killGroup({ pid, exitCode }: ChildProcess): void {
  if (pid === undefined || exitCode === 0) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new KreError('cancelled', 'the upload was cancelled', {}, { cause: signal.reason })
}

type Clock = ReturnType<typeof createWorkClock>

/** The clock stands still while the uploader is slow: that is watched by whoever owns the connection. */
async function feed(
  child: ChildProcess,
  stream: AsyncIterable<Uint8Array>,
  clock: Clock,
  kill: () => void,
): Promise<void> {
  const input = child.stdin
  if (input === null) return
  let closed = false
  let wake = (): void => undefined
  const done = (): void => {
    closed = true
    wake()
  }
  // A child that has seen enough closes its end: what is left of the upload is of no use.
  input.on('error', done).on('close', done)
  child.once('exit', done)
  const iterator = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      clock.pause()
      const next = await Promise.race([
        iterator.next(),
        new Promise<null>((resolve) => {
          wake = () => resolve(null)
          if (closed) wake()
        }),
      ])
      clock.resume()
      if (next === null) break
      if (next.done === true) {
        input.end()
        return
      }
      if (!input.write(next.value))
        await new Promise<void>((resolve) => {
          wake = resolve
          input.once('drain', resolve)
          if (closed) resolve()
        })
      if (closed) break
    }
    // Not awaited: a source that is stuck in its next chunk would hold the answer back.
    void Promise.resolve(iterator.return?.()).catch(() => undefined)
  } catch (thrown) {
    kill()
    throw thrown
  } finally {
    clock.resume()
  }
}

function settle(promise: Promise<void>): Promise<Error | null> {
  return promise.then(
    () => null,
    (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
  )
}

async function collect(child: ChildProcess): Promise<ValidatorOutcome> {
  const output: Buffer[] = []
  let outputBytes = 0
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.byteLength
    if (outputBytes > ANSWER_BYTES_MAX) killGroup(child)
    else output.push(chunk)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES_KEPT)
  })
  const exit = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code ?? 'unknown'}`))
  })
  const text = Buffer.concat(output).toString('utf8')
  if (text.endsWith('\n'))
    return { kind: 'answer', answer: ValidatorAnswer.parse(JSON.parse(text)) }
  const reason = /heap out of memory|Allocation failed/.test(stderr)
    ? `needed more than ${HEAP_MIB} MiB of memory`
    : `stopped without an answer (${exit})`
  return { kind: 'died', reason }
}
