/** The process of a node, or of several that feed each other: runs until it is told to stop. */
import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { fusedWorkPath, toKreError, type NodeLaunch } from '@kre/contracts/runtime'
import {
  createClaimStore,
  openCoreConnection,
  type ClaimTransport,
  type CoreConnection,
} from '@kre/core-nats'
import { createNode, type Node } from './create-node.ts'
import { EXIT } from './exit-codes.ts'
import { createLocalHops } from './hops/local-hops.ts'
import { whenSubscribed } from './hops/subscribe.ts'
import type { NodeProcess } from './node-process.ts'
import { openHealthDoor } from './process/health-door.ts'
import type { NodeTracing } from './process/node-spans.ts'
import { releaseWhenQuiet } from './process/release-memory.ts'
import { openStartStages } from './process/start-stage.ts'

/** For what is left to send when the process ends. */
const LAST_WORDS_MS = 1_000

/**
 * @param ownEnvironment `process.env`; becomes that of user code when it runs in this process.
 * @param signal told to drain.
 * @returns the exit code, when everything is given back.
 * @throws KreError `failed-precondition` when the user's code can't be loaded.
 */
export async function runNode(
  launch: NodeLaunch,
  ownEnvironment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  const launches = launchesOf(launch)
  const name = `node ${launch.workflow}/${launches.map(({ node }) => node).join('+')}`
  const connection = openCoreConnection(launch.nats, name)
  // The log goes over NATS, and the last line of a process that is not ready is its reason.
  const stopTelling = connection.listen({
    onFailed: ({ message }) => void writeSync(process.stderr.fd, `${message}\n`),
  })
  const stop = Promise.withResolvers<number>()
  signal.addEventListener('abort', () => stop.resolve(EXIT.ok), { once: true })
  await Promise.race([connection.whenUp(), stop.promise])
  stopTelling()
  const stages = openStartStages(launch.workPath)
  const tracing = await openTracing(launch)
  const health = await openHealthDoor(ownEnvironment)

  const onFatal = (what: string, exitCode: number) => {
    // User code may have taken over the stream: whoever watches the process must see the reason all the same.
    writeSync(process.stderr.fd, `${what}\n`)
    const current = nodes.filter((node) => node.hasCurrentCall())
    for (const node of current.length > 0 ? current : nodes) {
      node.log.write('ERROR', what, null)
      node.failRunning(what)
    }
    stop.resolve(exitCode)
  }
  const shared: NodeProcess = {
    connection,
    // It may not remove claims: that would be all of the runtime.
    claims: createClaimStore(launch.runtimeId, claimTransport(connection), false),
    nodes: new Set(launches.map(({ node }) => node)),
    local: createLocalHops(),
    incarnation: randomUUID(),
    stages,
    tracing,
    ownEnvironment,
    onFatal,
    onEngineAbsent: () => stop.resolve(EXIT.ok),
  }
  const nodes: Node[] = launches.map((each) => createNode(shared, each))
  connection.listen({
    onError: (error) => nodes[0]?.log.write('WARN', error.message, null),
    onLost: (reason) => onFatal(reason.message, EXIT.software),
  })

  try {
    await Promise.race([openAll(nodes), stop.promise])
    stages.close()
    if (nodes.every((node) => node.isOpen)) {
      for (const node of nodes) node.listen()
      await Promise.race([whenSubscribed(connection), stop.promise])
      // The first one stands for the process, so it comes last.
      for (const node of nodes.toReversed()) node.ready()
      health?.setReady(true)
      releaseWhenQuiet()
      await stop.promise
      health?.setReady(false)
      for (const node of nodes) node.draining()
    }
    const exitCode = await stop.promise
    await windDown(nodes, exitCode === EXIT.ok ? launch.drainMs : 0)
    return exitCode
  } finally {
    stages.close()
    health?.close()
    for (const node of nodes) await node.close()
    await tracing?.close(LAST_WORDS_MS)
    // Sends what is buffered; a broker that is away must not hold up the end.
    const sent = connection.drain().catch(() => undefined)
    await withinMs(sent, LAST_WORDS_MS)
    connection.close()
  }
}

/** Its code is loaded only where it is wanted. */
async function openTracing(launch: NodeLaunch): Promise<NodeTracing | null> {
  if (launch.tracing === undefined) return null
  const { openNodeTracing } = await import('./process/node-spans.ts')
  return openNodeTracing(launch, launch.tracing)
}

/** Each node as if it had the process for itself. */
function launchesOf({ fused = [], ...first }: NodeLaunch): NodeLaunch[] {
  const others = fused.map((node, index) => ({
    ...first,
    ...node,
    workPath: fusedWorkPath(first.workPath, index),
  }))
  return [first, ...others]
}

/** One after the other: while a node's code is loaded, the process's environment is that node's. */
async function openAll(nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) {
    try {
      await node.open()
    } catch (error) {
      node.log.write('ERROR', toKreError(error).message, null)
      throw error
    }
  }
}

/** Takes nothing new, finishes what is there within `drainMs`, and sends what is left to say. */
async function windDown(nodes: readonly Node[], drainMs: number): Promise<void> {
  const endAt = performance.now() + drainMs
  const finish = async () => {
    await Promise.all(nodes.map((node) => node.unsubscribe()))
    // What one node finishes may be another's next message: after as many rounds as there are nodes nothing is left.
    for (const _ of nodes) {
      for (const node of nodes) await node.idle()
      await setImmediate()
    }
  }
  await withinMs(finish(), drainMs)
  for (const node of nodes) await node.flush(Math.max(0, endAt - performance.now()))
}

function claimTransport(connection: CoreConnection): ClaimTransport {
  return {
    publish: (subject, data, reply) => connection.publish(subject, data, reply),
    subscribe: (subject, onMessage) => void connection.subscribe(subject, { onMessage }),
    maxPayload: () => connection.maxPayload(),
    inboxPrefix: connection.inboxPrefix,
  }
}

async function withinMs(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work, timeout])
  clearTimeout(timer)
}
