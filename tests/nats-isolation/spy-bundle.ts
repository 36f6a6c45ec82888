/** A bundle whose node uses the credentials of its own process, over a socket of its own, for what it is told to. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const PROTO = `syntax = "proto3";
package spy;
service Entrypoint { rpc Act(Order) returns (Report); }
message Order { string verb = 1; string target = 2; repeated string subjects = 3; }
message Report { string text = 1; }
`

const MANIFEST = (version: string) => `krtVersion: v2
version: ${version}
description: looks where it should not
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:8.2
workflows:
  - name: act
    entrypoint: Act
    exitpoint: second
    nodes:
      - name: first
        image: konstellation/kre-ts:1.0
        src: src/first.ts
        subscriptions: [entrypoint]
      - name: second
        image: konstellation/kre-ts:1.0
        src: src/second.ts
        subscriptions: [first]
        objectStore: { name: things, scope: workflow }
`

const FIRST = `
export async function defaultHandler(ctx, data) {
  await ctx.sendAny(data)
}
`

const SECOND = `
import { createPrivateKey, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { OrderSchema, ReportSchema } from '../gen/public_input_pb.js'

const A = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
function signature(seed, nonce) {
  const bits = Array.from(seed, (letter) => A.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), bytes.subarray(2, 34)])
  return sign(null, Buffer.from(nonce), createPrivateKey({ key, format: 'der', type: 'pkcs8' })).toString('base64url')
}

/** The credentials that lie in the work folders that this process can read. */
function find(dataDir) {
  const work = join(dataDir, 'run', 'work')
  const found = []
  for (const folder of readdirSync(work)) {
    try { found.push(JSON.parse(readFileSync(join(work, folder, 'nats.json'), 'utf8'))) } catch { /* not ours */ }
  }
  return found
}

/** Publishes, or subscribes, and says which subjects the server let it. */
function tryOut(kind, port, { jwt, seed }, subjects) {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    let text = ''
    socket.setEncoding('latin1')
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('cut off: ' + text.slice(-200))))
    socket.on('data', (chunk) => {
      const isFirst = text === ''
      text += chunk
      if (isFirst) {
        const { nonce } = JSON.parse(text.slice(5))
        const connect = { verbose: false, pedantic: false, jwt, sig: signature(seed, nonce) }
        socket.write('CONNECT ' + JSON.stringify(connect) + '\\r\\n')
        subjects.forEach((subject, i) =>
          socket.write(kind === 'publish' ? 'PUB ' + subject + ' 1\\r\\nx\\r\\n' : 'SUB ' + subject + ' ' + (i + 1) + '\\r\\n'))
        socket.write('PING\\r\\n')
      }
      if (!text.includes('PONG')) return
      socket.removeAllListeners('close')
      socket.destroy()
      resolve(subjects.filter((subject) => !text.includes('"' + subject + '"')))
    })
  })
}

const verbs = {
  echo: (target) => target,
  async services(target, _, ctx) {
    await ctx.db.save('things', { target })
    const found = await ctx.db.find('things', { target })
    await ctx.prediction.save('a', 'b')
    for (const scope of ['node', 'workflow', 'project']) await ctx.configuration.set('k', target + scope, scope)
    const values = []
    for (const scope of ['node', 'workflow', 'project']) values.push(await ctx.configuration.get('k', scope))
    const large = new Uint8Array(3000000).fill(7)
    await ctx.objectStore.save('o', large)
    const same = Buffer.compare(await ctx.objectStore.get('o'), large) === 0
    const listed = await ctx.objectStore.list()
    await ctx.objectStore.delete('o')
    return JSON.stringify({ found: found.length, values, same, listed, left: await ctx.objectStore.list() })
  },
  find: (dataDir) => JSON.stringify(find(dataDir).length),
  async attack(target, subjects) {
    const { dataDir, port } = JSON.parse(target)
    const own = find(dataDir).at(-1)
    const taken = {}
    for (const kind of ['publish', 'subscribe']) taken[kind] = await tryOut(kind, port, own, subjects)
    return JSON.stringify(taken)
  },
}

export async function defaultHandler(ctx, data) {
  const { verb, target, subjects } = ctx.unpack(data, OrderSchema)
  let text
  try { text = String(await verbs[verb](target, subjects, ctx)) } catch (error) { text = 'FAILED ' + error.message }
  await ctx.sendOutput(create(ReportSchema, { text }))
}
`

export async function writeSpyBundle(dir: string, version: string): Promise<void> {
  await mkdir(join(dir, 'src'), { recursive: true })
  const files = {
    'kre.yaml': MANIFEST(version),
    'public_input.proto': PROTO,
    'src/first.ts': FIRST,
    'src/second.ts': SECOND,
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content)
}
