/** Other systems, started one after the other, as children of this process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { MIB, residentBytes, withDescendants } from '../measure/processes.ts'
import type { Subject } from '../measure/subject.ts'
import { type PeerLanguage, preparePeer } from './peer-environment.ts'

type Peer = {
  name: string
  language: PeerLanguage
  path: string
  body: object
  hops: (answer: unknown) => number
}

const NODES = 3
const PAYLOAD = { data: 'x'.repeat(100), hops: 0 }
const PEERS: Peer[] = [
  plain('moleculer', 'node', '/'),
  plain('restate', 'node', '/chain/infer'),
  plain('ray-serve', 'python', '/'),
  plain('bentoml', 'python', '/infer'),
  plain('litserve', 'python', '/predict'),
  {
    name: 'mlserver',
    language: 'python',
    path: '/v2/models/chain/infer',
    body: {
      inputs: [
        { name: 'data', shape: [100], datatype: 'UINT8', data: Array(100).fill(7) },
        { name: 'hops', shape: [1], datatype: 'INT32', data: [0] },
      ],
    },
    hops: (answer) =>
      (answer as { outputs?: { name: string; data: number[] }[] }).outputs?.find(
        ({ name }) => name === 'hops',
      )?.data[0] ?? 0,
  },
]

/** One that takes and gives plain JSON. */
function plain(name: string, language: PeerLanguage, path: string): Peer {
  const hops = (answer: unknown) => (answer as { hops?: number }).hops ?? 0
  return { name, language, path, body: PAYLOAD, hops }
}

const START_MS_MAX = 90_000
const END_MS_MAX = 15_000
const POLL_MS = 50
/** A try that gets no answer must not hide a server that has come up meanwhile. */
const TRY_MS = 2_000
/** A chain uses the port that it is given, and those after it. */
const PORTS_STEP = 16

export type StartedPeers = AsyncDisposable & {
  subjects: Subject[]
  figures: Record<string, number>
  /** What could not be installed or started, and why. */
  notes: string[]
}

export async function startPeers(bench: Bench): Promise<StartedPeers> {
  const stack = new AsyncDisposableStack()
  const subjects: Subject[] = []
  const figures: Record<string, number> = {}
  const notes: string[] = []
  const basePort = await freePort()
  for (const [index, peer] of PEERS.entries()) {
    bench.signal.throwIfAborted()
    bench.say(`starting ${peer.name}`)
    try {
      const port = basePort + index * PORTS_STEP
      const { subject, seconds } = await startPeer(bench, peer, port, stack)
      subjects.push(subject)
      figures[`${peer.name}.firstAnswerSeconds`] = seconds
      figures[`${peer.name}.rssMiB`] =
        subject.pids.reduce((sum, pid) => sum + residentBytes(pid), 0) / MIB
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      notes.push(`${peer.name} is left out: ${why.trim().split('\n').at(-1)}`)
    }
  }
  return { subjects, figures, notes, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function startPeer(bench: Bench, peer: Peer, port: number, stack: AsyncDisposableStack) {
  const { name, language, path, body, hops } = peer
  const folder = resolve(import.meta.dirname, '../../peers', name)
  const [interpreter, program] = await preparePeer(name, language, folder, bench.signal)
  const logFile = join(bench.dir, `${name}.log`)
  const log = await open(logFile, 'w')
  const began = performance.now()
  // A session of its own, so that whatever it starts can be ended with it.
  const words = [program, String(port), ...(name === 'moleculer' ? [bench.engine.natsServer] : [])]
  const child = spawn(interpreter, words, {
    cwd: bench.dir,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', log.fd, log.fd],
    detached: true,
  })
  await log.close()
  stack.defer(() => end(child))
  const text = JSON.stringify(body)
  for (;;) {
    const answer = await ask(port, path, text)
    const found = answer === null ? 0 : hops(JSON.parse(answer))
    if (answer !== null && found === NODES) {
      const bodyFile = join(bench.dir, `${name}.json`)
      await writeFile(bodyFile, text)
      const headers = ['content-type: application/json']
      const answerBytes = Buffer.byteLength(answer)
      const target = { port, path, bodyFile, answerBytes, headers, http1: true }
      const pids = withDescendants([child.pid ?? 0])
      const subject: Subject = { name, target, pids }
      return { subject, seconds: (performance.now() - began) / 1000 }
    }
    if (child.exitCode !== null || performance.now() - began > START_MS_MAX) {
      const last = (await readFile(logFile, 'utf8')).trim().split('\n').at(-1)
      throw new Error(`no right answer: ${last}`)
    }
    await sleep(POLL_MS, undefined, { signal: bench.signal })
  }
}

/** The body of a 200, or null. */
async function ask(port: number, path: string, body: string): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(TRY_MS),
    })
    const text = await response.text()
    return response.ok ? text : null
  } catch {
    return null // it does not listen yet
  }
}

/** Lets it end by itself, then ends what is left of it. */
async function end(child: ChildProcess): Promise<void> {
  const pids = withDescendants([child.pid ?? 0])
  child.stdin?.on('error', () => undefined) // it has ended already
  child.stdin?.end()
  if (child.exitCode === null && child.signalCode === null)
    await Promise.race([once(child, 'exit'), sleep(END_MS_MAX, undefined, { ref: false })])
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has ended by itself
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  // Room for the ports after it.
  return Math.min(port, 65_000 - PEERS.length * PORTS_STEP)
}
