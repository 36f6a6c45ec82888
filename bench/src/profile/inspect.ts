/**
 * V8's CPU profiler in a process that was started without it: SIGUSR1 opens Node's inspector, a session inside the
 * process takes the profile, and the inspector is closed again. So the profile has the load in it and not the start,
 * and what is profiled runs with the very flags that it always has.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** The inspector's own, where SIGUSR1 opens it. */
const PORT = 9229
const OPEN_MS_MAX = 5_000
const POLL_MS = 20
/** An inspector that is about to close takes connections and answers none. */
const ANSWER_MS_MAX = 1_000
/** A profile of many functions takes a while to send. */
const EVALUATE_MS_MAX = 30_000
const SAMPLE_EVERY_MICROS = 500

const START = `(() => {
  const { Session, close } = process.getBuiltinModule('node:inspector')
  const session = (globalThis[Symbol.for('kre.bench.profile')] = new Session())
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: ${SAMPLE_EVERY_MICROS} })
  session.post('Profiler.start')
  setTimeout(close, 50)
})()`
const STOP = `new Promise((resolve, reject) => {
  const session = globalThis[Symbol.for('kre.bench.profile')]
  session.post('Profiler.stop', (error, { profile } = {}) => {
    session.disconnect()
    delete globalThis[Symbol.for('kre.bench.profile')]
    setTimeout(process.getBuiltinModule('node:inspector').close, 50)
    if (error) reject(error)
    else resolve(JSON.stringify(profile))
  })
})`

/**
 * @param port on which the process opens its inspector: Node's own unless it was started with another.
 * @throws Error when another process has the port, or the process is not Node.js.
 */
export async function startProfile(pid: number, port = PORT): Promise<void> {
  await evaluate(pid, port, START)
}

/**
 * @returns what a `.cpuprofile` file has in it, which Chrome's and VS Code's viewers open. It comes through the
 *   inspector, as an isolated node sees no folder of the bench.
 * @throws Error when the process ends or gives no answer.
 */
export async function stopProfile(pid: number, port = PORT): Promise<string> {
  const profile = await evaluate(pid, port, STOP)
  if (typeof profile !== 'string') throw new Error(`process ${pid} gave no profile`)
  return profile
}

async function evaluate(pid: number, port: number, expression: string): Promise<unknown> {
  if ((await debuggerUrl(port)) !== null)
    throw new Error(`port ${port} of 127.0.0.1 is in use: end what else is being debugged`)
  process.kill(pid, 'SIGUSR1')
  const socket = new WebSocket(await opened(pid, port))
  const timer = setTimeout(() => socket.close(), EVALUATE_MS_MAX)
  let value: unknown
  try {
    value = await answerOf(socket, pid, expression)
  } finally {
    clearTimeout(timer)
    socket.close()
  }
  const end = performance.now() + OPEN_MS_MAX
  while ((await debuggerUrl(port)) !== null && performance.now() < end) await sleep(POLL_MS)
  return value
}

function answerOf(socket: WebSocket, pid: number, expression: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`process ${pid} can't be profiled: ${why}`))
    socket.addEventListener('error', () => fail('its inspector takes no connection'))
    socket.addEventListener('close', () => fail('its inspector gave no answer'))
    socket.addEventListener('open', () => {
      const params = { expression, awaitPromise: true, returnByValue: true }
      socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }))
    })
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as {
        id?: number
        result?: {
          result?: { value?: unknown }
          exceptionDetails?: { exception?: { description?: string } }
        }
      }
      if (id !== 1) return
      const problem = result?.exceptionDetails
      if (problem === undefined) resolve(result?.result?.value)
      else fail(problem.exception?.description ?? 'it threw')
    })
  })
}

async function opened(pid: number, port: number): Promise<string> {
  const end = performance.now() + OPEN_MS_MAX
  while (performance.now() < end) {
    const url = await debuggerUrl(port)
    if (url !== null) return url
    await sleep(POLL_MS)
  }
  throw new Error(`process ${pid} has opened no inspector on port ${port} within ${OPEN_MS_MAX} ms`)
}

async function debuggerUrl(port: number): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`, {
      // A connection that is kept would keep the inspector from closing.
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    })
    const [first] = (await response.json()) as { webSocketDebuggerUrl?: string }[]
    return first?.webSocketDebuggerUrl ?? null
  } catch {
    return null // nobody listens, or not with Node's protocol
  }
}
