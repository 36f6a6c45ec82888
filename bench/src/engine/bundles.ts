/** Bundles that do next to nothing, so that what is measured is the engine. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type BenchVersion = {
  version: string
  nodes: readonly BenchNode[]
  /** Files that nodes refer to, by path. */
  sources: Readonly<Record<string, string>>
  /** All nodes in one process. */
  fuse?: boolean
  /** The rpc answers with many messages. */
  streams?: boolean
}
type BenchNode = {
  name: string
  src: string
  from: readonly string[]
  concurrency?: number
  replicas?: number
  /** As the manifest has it. */
  batch?: string
}
export type Language = 'typescript' | 'python'

const proto = (answer: string) => `syntax = "proto3";
package bench;
service Entrypoint { rpc Echo(Payload) returns (${answer}); }
message Payload { bytes data = 1; }
`
const ECHO = {
  typescript: {
    file: 'echo.ts',
    code: 'export function defaultHandler(ctx, data) {\n  return ctx.sendAny(data)\n}\n',
  },
  python: {
    file: 'echo.py',
    code: 'async def default_handler(ctx, data):\n    await ctx.send_any(data)\n',
  },
}

/** Nodes that pass on what they get, one after the other. */
export function chain(version: string, length: number, language: Language): BenchVersion {
  const { file, code } = ECHO[language]
  const nodes = Array.from({ length }, (_, i) => ({
    name: `n${i + 1}`,
    src: file,
    from: [i === 0 ? 'entrypoint' : `n${i}`],
  }))
  return { version, nodes, sources: { [file]: code } }
}

/** A chain of three whose second node fails for payloads that begin with `f`. */
export function faultyChain(version: string): BenchVersion {
  const { nodes, sources } = chain(version, 3, 'typescript')
  const code = `export function defaultHandler(ctx, data) {
  if (ctx.unpack(data).data[0] === 0x66) throw new Error('asked to fail')
  return ctx.sendAny(data)
}
`
  return {
    version,
    nodes: nodes.map((node) => (node.name === 'n2' ? { ...node, src: 'faulty.ts' } : node)),
    sources: { ...sources, 'faulty.ts': code },
  }
}

/** One node that takes `handlerMs` for each request, `concurrency` of them at once: a model with a known capacity. */
export function slowNode(version: string, handlerMs: number, concurrency: number): BenchVersion {
  const code = `export async function defaultHandler(ctx, data) {
  await new Promise((resolve) => setTimeout(resolve, ${handlerMs}))
  return ctx.sendAny(data)
}
`
  const node = { name: 'n1', src: 'slow.ts', from: ['entrypoint'], concurrency }
  return { version, nodes: [node], sources: { 'slow.ts': code } }
}

/** A chain whose last node answers with the message that it gets, `messages` times. */
export function streamChain(version: string, length: number, messages: number): BenchVersion {
  const { nodes, sources } = chain(version, length, 'typescript')
  const code = `export async function defaultHandler(ctx, data) {
  const message = ctx.unpack(data)
  for (let sent = 0; sent < ${messages}; sent++) await ctx.stream.write(message)
}
`
  return {
    version,
    nodes: nodes.map((node, i) => (i === length - 1 ? { ...node, src: 'stream.ts' } : node)),
    sources: { ...sources, 'stream.ts': code },
    streams: true,
  }
}

/** A node that writes one line of log for each request, beginning with its number. */
export function speakingNode(version: string, lineChars: number): BenchVersion {
  const code = `let said = 0
export function defaultHandler(ctx, data) {
  ctx.logger.info((said++ + ' ').padEnd(${lineChars}, 'x'))
  return ctx.sendAny(data)
}
`
  const node = { name: 'n1', src: 'speaking.ts', from: ['entrypoint'] }
  return { version, nodes: [node], sources: { 'speaking.ts': code } }
}

/** Nodes in one process; a request has each of them write lines of log for a while, and is answered at once. */
export function floodBundle(
  version: string,
  nodes: number,
  linesPerSecond: number,
  seconds: number,
): BenchVersion {
  const code = `const EVERY_MS = 100
const LINES = ${linesPerSecond} / (1000 / EVERY_MS)
export function defaultHandler(ctx, data) {
  const end = Date.now() + ${seconds * 1_000}
  let written = 0
  const timer = setInterval(() => {
    for (let n = 0; n < LINES; n++) ctx.logger.info('line ' + written++ + ' of a node that has much to say, as long as most are')
    if (Date.now() >= end) clearInterval(timer)
  }, EVERY_MS)
  return ctx.sendAny(data)
}
`
  const { nodes: chained } = chain(version, nodes, 'typescript')
  return {
    version,
    nodes: chained.map((node) => ({ ...node, src: 'flood.ts' })),
    sources: { 'flood.ts': code },
    fuse: true,
  }
}

/** A request goes to `branches` nodes at once, and a last one answers when all of them have passed it on. */
export function fanOut(version: string, branches: number): BenchVersion {
  const { file, code } = ECHO.typescript
  const names = Array.from({ length: branches }, (_, i) => `b${i + 1}`)
  const join = `const arrived = new Map()
export function defaultHandler(ctx, data) {
  const count = (arrived.get(ctx.requestId) ?? 0) + 1
  if (count < ${branches}) {
    arrived.set(ctx.requestId, count)
    return
  }
  arrived.delete(ctx.requestId)
  return ctx.sendAny(data)
}
`
  return {
    version,
    nodes: [
      { name: 'split', src: file, from: ['entrypoint'] },
      ...names.map((name) => ({ name, src: file, from: ['split'] })),
      { name: 'join', src: 'join.ts', from: names },
    ],
    sources: { [file]: code, 'join.ts': join },
  }
}

export async function writeBundle(directory: string, bundle: BenchVersion): Promise<void> {
  await mkdir(directory, { recursive: true })
  const files = {
    ...bundle.sources,
    'kre.yaml': manifest(bundle),
    'public_input.proto': proto(bundle.streams ? 'stream Payload' : 'Payload'),
  }
  await Promise.all(
    Object.entries(files).map(([path, text]) => writeFile(join(directory, path), text)),
  )
}

function manifest({ version, nodes, fuse }: BenchVersion): string {
  const lines = nodes.map(({ name, src, from, concurrency, replicas, batch }) => {
    const image = src.endsWith('.py') ? 'konstellation/kre-py:3.4' : 'konstellation/kre-ts:1.0'
    const more = [
      concurrency === undefined ? '' : `, concurrency: ${concurrency}`,
      replicas === undefined ? '' : `, replicas: ${replicas}`,
      batch === undefined ? '' : `, batch: ${batch}`,
    ].join('')
    return `      - { name: ${name}, image: ${image}, src: ${src}, subscriptions: [${from.join(', ')}]${more} }`
  })
  return `krtVersion: v2
version: ${version}
description: measured
entrypoint: { proto: public_input.proto, image: konstellation/kre-entrypoint:8.2 }
workflows:
  - name: echo
    entrypoint: Echo
    fuse: ${fuse === true}
    exitpoint: ${nodes.at(-1)?.name}
    nodes:
${lines.join('\n')}
`
}
