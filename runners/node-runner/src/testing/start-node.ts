/** Starts node processes for tests, and sends them requests as an entrypoint does. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { create, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema, type FileDescriptorSet } from '@bufbuild/protobuf/wkt'
import {
  controlSubject,
  decodeEnvelope,
  emptyEnvelope,
  encodeEnvelope,
  ingressSubject,
  MESSAGE_TYPE,
  type Announcement,
  type Envelope,
  type NatsAccess,
  type NodeLaunch,
  type NodeMember,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { NatsConnection } from '@nats-io/transport-node'
import { NODE_RUNNER_MAIN } from '../index.ts'

export const WORKFLOW = { runtimeId: 'rt', version: 'v1', workflow: 'wf' }
const TYPE = 'type.googleapis.com/test.Text'

export type RunningNode = {
  launch: NodeLaunch
  child: ChildProcess
  pid: number
  announcements: Announcement[]
  /** Everything on the process's standard error. */
  stderr(): string
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export type TestBench = AsyncDisposable & {
  /** Folder of the bundle. */
  basePath: string
  connection: NatsConnection
  /** Writes a file of the bundle. */
  file(path: string, text: string | Uint8Array): void
  /** Starts a node whose handler is `source`. */
  start(id: string, source: string | Uint8Array, changes?: Partial<NodeLaunch>): RunningNode
  /** Starts one; resolves when it has announced itself, or has ended. */
  node(id: string, source: string | Uint8Array, changes?: Partial<NodeLaunch>): Promise<RunningNode>
  /** Sends a request to the first node; resolves with the first answer. */
  ask(text: string, options?: AskOptions): Promise<Envelope>
  /** All answers so far, for requests whose answers matter after the first. */
  answers: Envelope[]
}
export type AskOptions = {
  deadlineMs?: number
  requestId?: string
  metadata?: Record<string, string>
  typeUrl?: string
  /** Instead of the text. */
  value?: Uint8Array
  workflow?: string
  /** Above 1: as an entrypoint sends it again. */
  attempt?: number
}

/**
 * @param access a running NATS server.
 * @param spawnNode starts the process of a launch file below a folder; default: the runner of this checkout.
 */
export async function openTestBench(
  connection: NatsConnection,
  access: NatsAccess,
  types: FileDescriptorSet = textTypes(),
  spawnNode: (launchFile: string, folder: string) => ChildProcess = spawnRunner,
): Promise<TestBench> {
  const root = mkdtempSync(join(tmpdir(), 'kre-node-'))
  const basePath = join(root, 'bundle')
  mkdirSync(basePath)
  writeFileSync(join(root, 'types.bin'), toBinary(FileDescriptorSetSchema, types))
  const nodes: RunningNode[] = []
  const pending = new Map<string, (answer: Envelope) => void>()
  const answers: Envelope[] = []
  const listeners = new Map<number, Announcement[]>()
  const entrypoint = randomUUID()

  connection.subscribe(`_R.rt.${entrypoint}.*`, {
    callback: (_, message) => {
      const answer = decodeEnvelope(message.data)
      answers.push(answer)
      const token = message.subject.split('.').at(-1) ?? ''
      pending.get(token)?.(answer)
      pending.delete(token)
    },
  })
  connection.subscribe(controlSubject(WORKFLOW, 'announce'), {
    callback: (_, message) => {
      const announcement = message.json<Announcement>()
      const list = listeners.get(announcement.pid) ?? []
      listeners.set(announcement.pid, list)
      list.push(announcement)
    },
  })
  await connection.flush()

  const file = (path: string, text: string | Uint8Array) => {
    mkdirSync(dirname(join(basePath, path)), { recursive: true })
    writeFileSync(join(basePath, path), text)
  }
  let sequence = 0
  const start: TestBench['start'] = (id, source, changes = {}) => {
    const launch = { ...launchOf(id, root, access), ...changes }
    file(launch.src, source)
    const launchFile = join(root, `${id}-${nodes.length}.json`)
    writeFileSync(launchFile, JSON.stringify(launch), { mode: 0o600 })
    const child = spawnNode(launchFile, root)
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => (stderr += String(chunk)))
    const exited = once(child, 'exit').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }))
    const pid = child.pid ?? 0
    const node: RunningNode = {
      launch,
      child,
      pid,
      get announcements() {
        return listeners.get(pid) ?? []
      },
      stderr: () => stderr,
      exited,
    }
    nodes.push(node)
    return node
  }

  return {
    basePath,
    connection,
    answers,
    file,
    start,
    async node(id, source, changes) {
      const node = start(id, source, changes)
      await waitUntil(
        `node ${id} ready`,
        () => node.announcements.length > 0 || hasEnded(node.child),
      )
      return node
    },
    async ask(
      text,
      {
        deadlineMs = 10_000,
        requestId = randomUUID(),
        metadata = {},
        typeUrl = TYPE,
        value = textBytes(text),
        workflow = WORKFLOW.workflow,
        attempt = 1,
      } = {},
    ) {
      const token = String(++sequence)
      const answer = new Promise<Envelope>((resolve) => pending.set(token, resolve))
      const envelope: Envelope = {
        ...emptyEnvelope(),
        requestId,
        typeUrl,
        value,
        fromNode: 'entrypoint',
        messageType: MESSAGE_TYPE.ok,
        deadlineUnixMs: Date.now() + deadlineMs,
        replyTo: `_R.rt.${entrypoint}.${token}`,
        attempt,
        metadata,
      }
      connection.publish(ingressSubject({ ...WORKFLOW, workflow }), encodeEnvelope(envelope))
      return answer
    },
    async [Symbol.asyncDispose]() {
      for (const { child } of nodes) if (!hasEnded(child)) child.kill('SIGKILL')
      await Promise.all(nodes.map((node) => node.exited))
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function spawnRunner(launchFile: string): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(NODE_RUNNER_MAIN)], {
    env: { ...process.env, KRE_LAUNCH_FILE: launchFile },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
}

/** `message test.Text { string text = 1; }` */
export function textBytes(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  const length: number[] = []
  for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      length.push(rest)
      break
    }
    length.push((rest % 128) | 128)
  }
  return new Uint8Array(Buffer.concat([Uint8Array.of(0x0a, ...length), bytes]))
}

/** Text of an answer, or of its error. */
export function textOf(answer: Envelope): string {
  if (answer.error !== '') return answer.error
  let at = 1
  while ((answer.value[at++] ?? 0) > 127);
  return new TextDecoder().decode(answer.value.subarray(at))
}

/** `test.Text`, as the bundle's protos would give it. */
export function textTypes(): FileDescriptorSet {
  return create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'test.proto',
        package: 'test',
        syntax: 'proto3',
        messageType: [
          {
            name: 'Text',
            field: [{ name: 'text', number: 1, type: 9, label: 1, jsonName: 'text' }],
          },
        ],
      },
    ],
  })
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** A node as the converger describes it: the workflow's only one, which answers. */
export function memberOf(id: string): NodeMember {
  return {
    kind: 'node',
    ...WORKFLOW,
    versionId: 'version-id',
    bundleDigest: 'sha256:00',
    workflowName: 'Workflow',
    node: id,
    nodeName: id,
    image: 'kre/typescript',
    runner: 'typescript',
    src: `${id}.ts`,
    subscriptions: [{ from: 'entrypoint', channel: null, durability: 'fast' }],
    outputs: [],
    isExitpoint: true,
    requestType: 'test.Text',
    responseType: 'test.Text',
    concurrency: 1,
    timeoutMs: null,
    retries: { max: 0, backoffMs: 10 },
    objectBucket: null,
    keyValueBuckets: { project: 'KV_rt', workflow: 'KV_rt_v1_wf', node: `KV_rt_v1_wf_${id}` },
    config: { variables: {}, files: {} },
  }
}

export function launchOf(id: string, root: string, nats: NatsAccess): NodeLaunch {
  return {
    ...memberOf(id),
    nats,
    replica: 0,
    drainMs: 5_000,
    engineAbsenceMs: 600_000,
    basePath: join(root, 'bundle'),
    descriptorSetPath: join(root, 'types.bin'),
    workPath: join(root, 'work', id),
    python: null,
  }
}
