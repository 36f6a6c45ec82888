/** A client in another language: a child process that is told what to do by JSON lines, and answers with them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { InteropClient, Outcome } from './interop-client.ts'

type Wire = { id: number; event?: string; result?: unknown; error?: string }
type WireOutcome = Omit<Outcome, 'data'> & { data: string | null }
type Waiting = {
  onEvent?: ((event: string) => void) | undefined
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}

/** How long a driver may take to end once its input has ended. */
const END_MS = 5_000

/**
 * Operations, each with an `id` of ours, are lines on its standard input; lines on its standard output carry the id
 * with `result`, `error` or, before these, `event`. The end of its input ends it.
 */
export function startDriver(command: string, args: readonly string[]): InteropClient {
  const child = spawn(command, args, {
    // What gRPC's core notes on standard error is for its developers.
    env: { ...process.env, GRPC_VERBOSITY: 'NONE' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const waiting = new Map<number, Waiting>()
  let lastId = 0

  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, event, result, error } = JSON.parse(line) as Wire
    const one = waiting.get(id)
    if (event !== undefined) {
      one?.onEvent?.(event)
      return
    }
    waiting.delete(id)
    if (error === undefined) one?.resolve(result)
    else one?.reject(new Error(error))
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${command} ended (${code ?? signal}) before it answered`))
  })
  // Its end is told by `exit`; what is written meanwhile is lost, and nobody waits for it.
  child.stdin.on('error', () => undefined)

  const begin = (op: object, onEvent?: (event: string) => void) => {
    const id = ++lastId
    const result = new Promise<unknown>((resolve, reject) => {
      waiting.set(id, { onEvent, resolve, reject })
    })
    child.stdin.write(`${JSON.stringify({ id, ...op })}\n`)
    return { id, result }
  }
  const cancel = (target: number) =>
    void child.stdin.write(`${JSON.stringify({ op: 'cancel', target })}\n`)

  return {
    call({ payloads, ...spec }) {
      const encoded = payloads.map((payload) => Buffer.from(payload).toString('base64'))
      const { id, result } = begin({ op: 'call', ...spec, payloads: encoded })
      return {
        outcomes: (result as Promise<WireOutcome[]>).then((all) =>
          all.map((one) => ({
            ...one,
            data: one.data === null ? null : Buffer.from(one.data, 'base64'),
          })),
        ),
        cancel: () => cancel(id),
      }
    },
    listServices: (address, version) =>
      begin({ op: 'list', address, version }).result as Promise<string[]>,
    describe: (address, version, service) =>
      begin({ op: 'describe', address, version, service }).result as Promise<string[]>,
    check: (address, service) => begin({ op: 'check', address, service }).result as Promise<string>,
    watch(address, service) {
      const statuses: string[] = []
      const { id, result } = begin({ op: 'watch', address, service }, (status) =>
        statuses.push(status),
      )
      return { statuses, ended: result, stop: () => cancel(id) }
    },
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
      child.stdin.end()
      if (child.exitCode === null && child.signalCode === null) await exited
      clearTimeout(timer)
    },
  }
}
