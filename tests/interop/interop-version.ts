/** A version that obeys its callers, served by a whole engine. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createKre, type Kre, type Status } from '../support/kre.ts'
import { PAYLOAD_PROTO } from './payload.ts'

export const RUNTIME = 'interop'
export const SERVICE = 'interop.Entrypoint'
export const RUN = `/${SERVICE}/Run`

const MANIFEST = (version: string) => `krtVersion: v2
version: ${version}
description: obeys its callers
entrypoint: { proto: interop.proto, image: konstellation/kre-entrypoint:8.2 }
workflows:
  - name: run
    entrypoint: Run
    exitpoint: obey
    nodes:
      - { name: pass, image: konstellation/kre-ts:1.0, src: pass.js, subscriptions: [entrypoint], concurrency: 500 }
      - { name: obey, image: konstellation/kre-ts:1.0, src: obey.js, subscriptions: [pass], concurrency: 500 }
`
const PASS = `export function defaultHandler(ctx, data) {
  return ctx.sendAny(data)
}
`
/** `counts` tells of the calls that sleep now, and of those whose caller went away while they slept. */
const OBEY = `import { setTimeout as sleep } from 'node:timers/promises'

let asleep = 0
let cancelled = 0
export async function defaultHandler(ctx, data) {
  const { command, number } = ctx.unpack(data)
  const say = (what) => ctx.sendOutput({ data: Buffer.from(JSON.stringify(what)) })
  switch (command) {
    case 'sleep':
      asleep++
      try {
        await sleep(number, undefined, { signal: ctx.signal })
      } catch {
        cancelled++
        return
      } finally {
        asleep--
      }
      return ctx.sendAny(data)
    case 'counts': return say({ asleep, cancelled })
    case 'describe': return say({ requestId: ctx.requestId, metadata: ctx.metadata, remainingMs: ctx.deadlineMs - Date.now() })
    case 'fail': throw new Error('größer als 100 %')
    case 'repeat': return ctx.sendOutput({ data: Buffer.alloc(number, 'x') })
    default: return ctx.sendAny(data)
  }
}
`

export type InteropEngine = AsyncDisposable & {
  /** For files of the test. */
  readonly dir: string
  /** Uploads and starts a version. @returns its address. */
  add(version: string): Promise<string>
  /** Tells the version's entrypoint process to end, as a restart does; the engine starts another one. */
  endEntrypoint(version: string): Promise<void>
  stop(version: string): Promise<void>
}

export async function startInteropEngine(): Promise<InteropEngine> {
  const kre = await createKre()
  await kre.json('dev', '--detach', '--no-example')
  await kre.json('runtime', 'create', RUNTIME)
  return {
    dir: dirname(kre.dataDir),
    async add(version) {
      await kre.json('version', 'create', '-r', RUNTIME, await writeBundle(kre, version))
      await kre.json('version', 'start', '-r', RUNTIME, version)
      const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
        'version',
        'show',
        '-r',
        RUNTIME,
        version,
      )
      return entrypointAddress
    },
    async endEntrypoint(version) {
      const { processes } = await kre.json<Status>('status')
      const entrypoint = processes.find(
        (one) => one.version === version && one.role === 'entrypoint',
      )
      if (!entrypoint?.pid) throw new Error(`version ${version} has no entrypoint`)
      process.kill(entrypoint.pid, 'SIGTERM')
    },
    async stop(version) {
      await kre.json('version', 'stop', '-r', RUNTIME, version)
    },
    [Symbol.asyncDispose]: () => kre[Symbol.asyncDispose](),
  }
}

async function writeBundle(kre: Kre, version: string): Promise<string> {
  const folder = join(dirname(kre.dataDir), version)
  await mkdir(folder)
  const files = {
    'kre.yaml': MANIFEST(version),
    'interop.proto': PAYLOAD_PROTO,
    'pass.js': PASS,
    'obey.js': OBEY,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}
