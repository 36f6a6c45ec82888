/** A line to the API server that is slow, or cut. What goes over it is encrypted, and passed on as it is. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Cluster,
  openCluster,
} from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'

export type Line = AsyncDisposable & {
  readonly port: number
  /** Connections so far. */
  readonly connections: number
  /** How late everything arrives, each way. */
  delayMs: number
  /** Ends all connections; false = and nobody gets a new one, until it is opened again. */
  isOpen: boolean
  cut(): void
}

export async function openLine(target: number): Promise<Line> {
  const sockets = new Set<Socket>()
  const state = { delayMs: 0, isOpen: true, connections: 0 }
  const carry = async (from: Socket, to: Socket) => {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      if (state.delayMs > 0) await sleep(state.delayMs)
      to.write(chunk)
    }
    to.end()
  }
  const server = createServer((near) => {
    if (!state.isOpen) return void near.destroy()
    state.connections++
    const far = connect(target, '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      carry(socket, other).catch(() => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return state.connections
    },
    get delayMs() {
      return state.delayMs
    },
    set delayMs(ms) {
      state.delayMs = ms
    },
    get isOpen() {
      return state.isOpen
    },
    set isOpen(isOpen) {
      state.isOpen = isOpen
      if (!isOpen) cut()
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
    },
  }
}

/** The cluster of a kubeconfig, over the line. The file is changed. */
export function openOver(line: Line, kubeconfig: string): Cluster {
  const direct = readFileSync(kubeconfig, 'utf8')
  writeFileSync(kubeconfig, direct.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${line.port}`))
  return openCluster(kubeconfig)
}
