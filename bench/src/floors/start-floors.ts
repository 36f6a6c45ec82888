/** The floors as children of this process: they end with it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export type Floor = AsyncDisposable & { readonly port: number; readonly pids: readonly number[] }

export const startEchoFloor = () => startAlone('echo')
export const startStreamFloor = () => startAlone('stream')

async function startAlone(role: string): Promise<Floor> {
  const { child, line } = await startPart(role)
  return { port: Number(line), pids: [child.pid ?? 0], [Symbol.asyncDispose]: () => end([child]) }
}

/** @param natsServer the server's program; `dir` a folder that it may write to. */
export async function startNatsFloor(
  natsServer: string,
  dir: string,
  nodes: number,
): Promise<Floor> {
  const server = await startPart('nats-server', natsServer, dir)
  const [pid, natsPort] = server.line.split(' ')
  const address = `127.0.0.1:${natsPort}`
  const indexes = Array.from({ length: nodes }, (_, index) => String(index))
  const parts = await Promise.all(
    indexes.map((index) => startPart('node', address, index, String(nodes))),
  )
  const front = await startPart('front', address)
  const children = [front, ...parts].map(({ child }) => child)
  return {
    port: Number(front.line),
    pids: [Number(pid), ...children.map((child) => child.pid ?? 0)],
    [Symbol.asyncDispose]: () => end([...children, server.child]),
  }
}

/** Resolves with the part's first line. */
async function startPart(...words: string[]): Promise<{ child: ChildProcess; line: string }> {
  const child = fork(join(import.meta.dirname, '../floor.ts'), words, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const stdout = child.stdout as NodeJS.ReadableStream
  const [line] = (await Promise.race([once(stdout, 'data'), once(child, 'exit')])) as [unknown]
  if (!Buffer.isBuffer(line)) throw new Error(`floor ${words.join(' ')} ended at once`)
  return { child, line: line.toString().trim() }
}

async function end(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    }),
  )
}
