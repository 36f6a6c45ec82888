/** One process with user code in another language: start, handshake, frames, end. */
import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError, SECOND_MS, type NodeLaunch } from '@kre/contracts/runtime'
import { openFrameChannel, WORKER_PROTOCOL, type FrameChannel, type WorkerFrame } from '@kre/wire'
import type { LogLine } from '../outputs/log-line.ts'
import { createLineAssembler } from '../outputs/line-assembler.ts'

/** Interpreter and imports before Hello. `init` itself may take as long as it likes: models are large. */
const HELLO_TIMEOUT_MS = 60 * SECOND_MS
const EXIT_AFTER_DRAIN_MS = 2 * SECOND_MS
const LAST_FRAMES_MS = 500
/** For what is left of its output when it is gone: processes that it has left behind may hold that open for ever. */
const LAST_OUTPUT_MS = 1 * SECOND_MS

export type WorkerEnd = {
  /** `exit code 1`, `signal SIGKILL`. */
  readonly text: string
  readonly signal: NodeJS.Signals | null
}

export type WorkerProcess = {
  readonly pid: number
  readonly handlesErrors: boolean
  /** Takes calls beyond those that run. */
  readonly readsAhead: boolean
  send(frame: WorkerFrame): void
  kill(): void
  /** Lets it finish, then ends it. */
  drain(): Promise<void>
}

export type WorkerStart = {
  readonly launch: NodeLaunch
  readonly command: readonly [executable: string, ...args: string[]]
  readonly environment: Readonly<Record<string, string>>
  readonly socketPath: string
  readonly init: WorkerFrame<'init'>
  /** Frames after the handshake; calls of services arrive before it, too. */
  readonly onFrame: (frame: WorkerFrame) => void
  readonly onLine: (line: LogLine) => void
  /** Once, when the process is gone; not when it failed to start. */
  readonly onEnd: (end: WorkerEnd) => void
  /** Told of the channel before `init` runs, so that its services can be answered. */
  readonly onChannel: (channel: FrameChannel) => void
  readonly signal: AbortSignal
}

/** @throws KreError `failed-precondition` when user code can't be loaded, `unavailable` when the worker can't start. */
export async function startWorker(start: WorkerStart): Promise<WorkerProcess> {
  const { launch, command, onFrame, onEnd, signal } = start
  rmSync(start.socketPath, { force: true })
  const ready = Promise.withResolvers<WorkerFrame<'initDone'>>()
  // The end before the handshake is the handshake's failure; its promise is awaited below.
  ready.promise.catch(() => undefined)
  let channel: FrameChannel | null = null
  let hangUpTimer: NodeJS.Timeout | undefined
  let isReady = false
  let readsAhead = false
  const channelEnd = Promise.withResolvers<void>()

  const server = createServer((socket: Socket) => {
    server.close()
    channel = openFrameChannel(socket, onAnyFrame, (error) => {
      channelEnd.resolve()
      if (error !== null) child.kill('SIGKILL')
      // It mostly ends with its channel. One that goes on, for a thread that does not end, is of no use.
      else hangUpTimer = setTimeout(() => child.kill('SIGKILL'), EXIT_AFTER_DRAIN_MS)
    })
  })
  const onAnyFrame = (frame: WorkerFrame) => {
    if (frame.kind === 'hello') {
      clearTimeout(helloTimer)
      if (frame.protocol === WORKER_PROTOCOL) {
        readsAhead = frame.readsAhead
        start.onChannel(channel as FrameChannel)
        channel?.send(start.init)
        return
      }
      const text = `the worker speaks protocol ${frame.protocol}, the runner ${WORKER_PROTOCOL}: use an SDK of this release`
      ready.reject(new KreError('failed-precondition', text))
    } else if (frame.kind === 'initDone') ready.resolve(frame)
    else if (frame.kind === 'initFailed') {
      start.onLine({ level: 'ERROR', text: frame.stack || frame.text, date: null })
      ready.reject(new KreError('failed-precondition', frame.text))
    } else onFrame(frame)
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(start.socketPath, resolve)
  })

  const child = spawn(command[0], [...command.slice(1), start.socketPath], {
    cwd: launch.basePath,
    env: start.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const flushLines = captureLines(child, start.onLine)
  const ended = endOf(child)
  const helloTimer = setTimeout(() => {
    ready.reject(
      new KreError('unavailable', `the worker did not say hello within ${HELLO_TIMEOUT_MS} ms`),
    )
  }, HELLO_TIMEOUT_MS)
  const onAbort = () => ready.reject(new KreError('cancelled', 'the node is stopping'))
  signal.addEventListener('abort', onAbort, { once: true })
  // It may have been while the socket was being opened.
  if (signal.aborted) onAbort()
  void ended.then(async (end) => {
    flushLines()
    server.close()
    // Frames that it sent last are read before its end is told.
    if (channel !== null) await Promise.race([channelEnd.promise, sleep(LAST_FRAMES_MS)])
    channel?.close()
    clearTimeout(hangUpTimer)
    if (isReady) return onEnd(end)
    const text = `the worker of node '${launch.nodeName}' ended while starting (${end.text})`
    ready.reject(new KreError('unavailable', text))
  })

  try {
    const { handlesErrors } = await ready.promise
    isReady = true
    return {
      pid: child.pid ?? 0,
      handlesErrors,
      readsAhead,
      send: (frame) => channel?.send(frame),
      kill: () => void child.kill('SIGKILL'),
      async drain() {
        isReady = false
        channel?.send({ kind: 'drain' })
        const timer = setTimeout(() => child.kill('SIGKILL'), EXIT_AFTER_DRAIN_MS)
        await ended
        clearTimeout(timer)
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    await ended
    throw error
  } finally {
    clearTimeout(helloTimer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** Resolves when it is gone and what it printed last is read. */
function endOf(child: ChildProcess): Promise<WorkerEnd> {
  const { promise, resolve } = Promise.withResolvers<WorkerEnd>()
  child.once('error', (error) => resolve({ text: error.message, signal: null }))
  child.once('exit', (code, signal) => {
    const close = () => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    }
    const timer = setTimeout(close, LAST_OUTPUT_MS)
    child.once('close', () => {
      clearTimeout(timer)
      resolve({ text: signal === null ? `exit code ${code}` : `signal ${signal}`, signal })
    })
  })
  return promise
}

function captureLines(child: ChildProcess, onLine: (line: LogLine) => void): () => void {
  const assemblers = [child.stdout, child.stderr].map((stream) => {
    const assembler = createLineAssembler(onLine)
    stream?.on('data', (chunk: Uint8Array) => assembler.write(chunk))
    return assembler
  })
  return () => {
    for (const assembler of assemblers) assembler.flush()
  }
}
