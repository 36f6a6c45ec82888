/**
 * The engine's own program, which dies at a chosen effect. An effect is what leaves the process: a change of a file of
 * its data folder, a commit, a process it starts, a change on NATS. They are seen at the doors that Node gives to the
 * outside, so that no code of the engine knows of this, and none can be forgotten.
 *
 *   node dying-engine.ts run     with an IPC channel: { arm: Point | null } begins to count, { report: true } tells.
 */
import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { relative, resolve } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'

export type Point = { readonly label: string; readonly when: 'before' | 'after' }
type Message = { arm?: Point | null; report?: boolean }

const dataDir = resolve(process.env['KRE_DATA'] ?? '.')
/** What goes on all the time, whatever is asked for. */
const ALWAYS =
  /nats\/|heartbeat|engine\.json|engines\/|\bleases\b|heard_totals|traffic|requests|\blogins\b|attempts|api_tokens|uploads\/|cache\/(?!bundles)|\.compile/

let armed = false
let point: Point | null = null
const seen: string[] = []

process.on('message', ({ arm, report }: Message) => {
  if (arm !== undefined) {
    seen.length = 0
    point = arm
    armed = true
    process.send?.({ armed: true })
  }
  if (report === true) {
    armed = false
    process.send?.({ seen })
  }
})

/** Counts an effect, and dies before or after it when it is the one. */
function effect<T>(label: string, act: () => T): T {
  if (!armed || ALWAYS.test(label)) return act()
  const number = seen.filter((one) => one.startsWith(`${label} #`)).length + 1
  const name = `${label} #${number}`
  seen.push(name)
  const isIt = point?.label === name
  if (isIt && point?.when === 'before') die()
  const result = act()
  if (!isIt) return result
  if (result instanceof Promise) return result.finally(die) as T
  return die()
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  for (;;); // the signal comes before the next turn
}

function fileLabel(name: string, path: unknown): string | null {
  const inside = relative(dataDir, resolve(String(path)))
  if (inside === '' || inside.startsWith('..')) return null
  return `file ${name} ${normal(inside)}`
}

/** Names that are the same in every run. */
function normal(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{64}/g, '<digest>')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/<digest>-[0-9a-f]+/g, '<digest>-<random>')
    .replaceAll(/\.[0-9a-f]{8}(?=\.|$|\/)/g, '.<random>')
    .replaceAll(/\d{4,}/g, '<n>')
    .replaceAll(/-[A-Za-z0-9]{6}(?=$|\/)/g, '-<random>')
}

type AnyFunction = (...args: unknown[]) => unknown
function wrap(of: object, name: string, around: (original: AnyFunction) => AnyFunction): void {
  const original = Reflect.get(of, name) as AnyFunction
  Reflect.set(of, name, around(original))
}

for (const name of ['rename', 'rm', 'writeFile', 'mkdir', 'unlink', 'truncate', 'copyFile', 'link'])
  wrap(fs.promises, name, (original) => (...args) => {
    const label = fileLabel(name, name === 'rename' ? args[1] : args[0])
    return label === null ? original(...args) : effect(label, () => original(...args))
  })
for (const name of ['renameSync', 'rmSync', 'writeFileSync', 'mkdirSync', 'unlinkSync', 'linkSync'])
  wrap(fs, name, (original) => (...args) => {
    const label = fileLabel(name, name === 'renameSync' ? args[1] : args[0])
    return label === null ? original(...args) : effect(label, () => original(...args))
  })
wrap(childProcess, 'spawn', (original) => (...args) => {
  const { env } = (args[2] ?? {}) as { env?: Record<string, string> }
  const launch = env?.['KRE_LAUNCH_FILE']
  const words = [args[0], ...((args[1] as string[] | undefined) ?? [])].map(String)
  const what =
    launch === undefined
      ? `of ${words.map((word) => word.split('/').at(-1) ?? '').find((word) => /\.(?:ts|sh)$/.test(word)) ?? words[0]}`
      : relative(dataDir, launch)
  return effect(`process ${normal(what)}`, () => original(...args))
})

/** Statements of a transaction that is not committed yet. */
const open = new WeakMap<DatabaseSync, Set<string>>()
const statements = new WeakMap<StatementSync, { db: DatabaseSync; what: string }>()
function whatOf(sql: string): string {
  const match = /^\s*(INSERT|UPDATE|DELETE)(?:\s+(?:INTO|FROM))?\s+(\w+)/i.exec(sql)
  return match === null ? '' : `${match[1]} ${match[2]}`.toLowerCase()
}
wrap(
  DatabaseSync.prototype,
  'prepare',
  (original) =>
    function (this: DatabaseSync, ...args) {
      const statement = Reflect.apply(original, this, args) as StatementSync
      statements.set(statement, { db: this, what: whatOf(String(args[0])) })
      return statement
    },
)
wrap(
  StatementSync.prototype,
  'run',
  (original) =>
    function (this: StatementSync, ...args) {
      const { db, what } = statements.get(this) ?? { db: null, what: '' }
      const act = () => Reflect.apply(original, this, args)
      if (db === null || what === '') return act()
      if (!db.isTransaction) return effect(`commit ${what}`, act)
      open.set(db, (open.get(db) ?? new Set()).add(what))
      return act()
    },
)
wrap(
  DatabaseSync.prototype,
  'exec',
  (original) =>
    function (this: DatabaseSync, ...args) {
      const act = () => Reflect.apply(original, this, args)
      const whats = open.get(this)
      if (whats === undefined || !/^(?:COMMIT|ROLLBACK)/.test(String(args[0]))) return act()
      open.delete(this)
      return args[0] === 'COMMIT' ? effect(`commit ${[...whats].join(', ')}`, act) : act()
    },
)

/** Changes on NATS: the management of streams and consumers, and the routing. */
const CHANGE =
  /H?PUB (?:\$JS\.API\.((?:STREAM\.(?:CREATE|UPDATE|DELETE|PURGE)|CONSUMER\.(?:DURABLE\.)?(?:CREATE|DELETE))\.[^\s]+)|\$KV\.(RT_[^\s]+))/
wrap(
  net.Socket.prototype,
  'write',
  (original) =>
    function (this: net.Socket, ...args) {
      const act = () => Reflect.apply(original, this, args)
      if (!armed || !(args[0] instanceof Uint8Array)) return act()
      const found = CHANGE.exec(Buffer.from(args[0]).toString('latin1'))
      // A consumer without a name of its own is how a bucket's keys are read.
      if (found === null || found[1]?.includes('.oc_') === true) return act()
      const label = `nats ${(found[1] ?? found[2] ?? '').replace(/\.[A-Za-z0-9]{8,}(?=$| )/, '')}`
      return effect(label, () => {
        if (point === null || point.when === 'before' || seen.at(-1) !== point.label) return act()
        // Dead before the bytes are with the system, it would be the same as dead before.
        Reflect.apply(original, this, [args[0], die])
        return new Promise(() => undefined)
      })
    },
)
syncBuiltinESMExports()

await import('../../engine/all-in-one/src/main.ts')
