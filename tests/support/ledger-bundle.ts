/** Bundles whose nodes pass a ticket on and sign it, and break on command. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildBundle } from '@kre/bundle'
import { formatIssue } from '@kre/contracts'

export const TICKET_PROTO = `syntax = "proto3";
package faults;
service Entrypoint { rpc Run(Ticket) returns (Ticket); }
message Ticket { string id = 1; string command = 2; string trail = 3; }
message Other { map<string, bytes> parts = 1; }
`

/** Obeys commands such as `b:throw`; others are passed on. Each node appends its letter. */
const SIGN = `
export function sign(letter) {
  return async (ctx, data) => {
    const { id, command, trail } = ctx.unpack(data)
    if (command.startsWith(letter + ':')) await obey(command.slice(letter.length + 1), ctx)
    await ctx.sendOutput({ $typeName: 'faults.Ticket', id, command, trail: trail + letter })
  }
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
async function obey(command, ctx) {
  switch (command) {
    case 'throw': throw new Error('the model is not amused')
    case 'exit': process.exit(7)
    case 'loop': for (;;);
    case 'never': return new Promise(() => {})
    case 'slow': return sleep(1000)
    case 'reject-later': setTimeout(() => Promise.reject(new Error('nobody waits for this')), 5); return sleep(200)
    case 'line': console.log('x'.repeat(5 * 1024 * 1024)); return
    case 'lines': for (let i = 0; i < 1e5; i++) ctx.logger.info('line ' + i); return
    case 'hog': { const all = []; for (;;) { all.push(new Array(1e6).fill(Math.random())); await sleep(1) } }
    case 'buffers': { const all = []; for (;;) { all.push(Buffer.alloc(16 * 1024 * 1024, 1)); await sleep(1) } }
    case 'other': return ctx.sendOutput({ $typeName: 'faults.Other' })
  }
}
`

export type BundleNode = {
  /** Source, instead of signing. */
  code?: string
  from?: string
  /** More lines of the node in the manifest, flow style. */
  more?: string
}

export function chainManifest(version: string, nodes: Record<string, BundleNode>): string {
  const names = Object.keys(nodes)
  const lines = names.map((name, index) => {
    const from = nodes[name]?.from ?? (index === 0 ? 'entrypoint' : names[index - 1])
    const more = nodes[name]?.more === undefined ? '' : `, ${nodes[name].more}`
    return `      - { name: ${name}, image: konstellation/kre-ts:1.0, src: src/${name}.js, subscriptions: [${from}]${more} }`
  })
  return `krtVersion: v2
version: ${version}
description: a chain that signs tickets
entrypoint: { proto: ticket.proto, image: konstellation/kre-entrypoint:8.2 }
workflows:
  - name: run
    entrypoint: Run
    exitpoint: ${names.at(-1)}
    nodes:
${lines.join('\n')}
`
}

/** The files of a bundle by path. */
export function chainFiles(
  version: string,
  nodes: Record<string, BundleNode>,
): Record<string, string> {
  const sources = Object.entries(nodes).map(([name, node]) => [
    `src/${name}.js`,
    node.code ??
      `import { sign } from './sign.js'\nexport const defaultHandler = sign('${name}')\n`,
  ])
  return {
    'kre.yaml': chainManifest(version, nodes),
    'ticket.proto': TICKET_PROTO,
    'src/sign.js': SIGN,
    ...Object.fromEntries(sources),
  }
}

export const THREE: Record<string, BundleNode> = { a: {}, b: {}, c: {} }

/** A valid archive of the files. */
export async function packFiles(files: Record<string, string>): Promise<Uint8Array> {
  const dir = await mkdtemp(join(tmpdir(), 'kre-bundle-'))
  try {
    await writeFiles(join(dir, 'bundle'), files)
    const out = join(dir, 'bundle.krt')
    const built = await buildBundle({ directory: join(dir, 'bundle'), out })
    if (!built.ok) throw new Error(built.issues.map((issue) => formatIssue(issue)).join('\n'))
    return await readFile(out)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

export async function writeFiles(dir: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
}

export const packChain = (version: string, nodes: Record<string, BundleNode> = THREE) =>
  packFiles(chainFiles(version, nodes))
