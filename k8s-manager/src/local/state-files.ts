/**
 * What must survive the engine, as files under `<data>/run`: what shall run, and which process runs it.
 * Written atomically and synchronously, so that a process is on record before it can have served anything.
 */
import {
  appendFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createNameHash, type EntrypointSpec, type NodeSpec, type Workload } from '@kre/contracts'
import { z } from 'zod'

/**
 * Only what supervision needs is checked: a spec that an older engine wrote, without fields of today, must not
 * cost its processes their lives. The converger rolls them to a spec of today.
 */
const SavedSpec = z
  .discriminatedUnion('kind', [
    z.looseObject({
      kind: z.literal('node'),
      runtimeId: z.string(),
      workflow: z.string(),
      node: z.string(),
      bundleDigest: z.string(),
    }),
    z.looseObject({ kind: z.literal('entrypoint'), runtimeId: z.string() }),
  ])
  .transform((spec) => spec as unknown as NodeSpec | EntrypointSpec)

/**
 * Configuration values are not saved, only whether there were any: the converger brings them again. What is adopted
 * runs with those it has; nothing is started without them.
 */
const SavedWorkload = z.object({
  id: z.string(),
  runtimeId: z.string(),
  version: z.string().nullable(),
  replicas: z.number(),
  spec: SavedSpec,
  specHash: z.string(),
  bundleDigest: z.string().nullable(),
  memoryBytesMax: z.number().nullable(),
  isPartial: z.boolean().default(false),
})
type SavedWorkload = z.infer<typeof SavedWorkload>

export const ProcessRecord = z.object({
  pid: z.number(),
  /** From `processIdentity`: tells the process from a later owner of its pid. */
  identity: z.string(),
  /** As it was when the process started; a newer one may be wanted by now. */
  workload: SavedWorkload,
  replica: z.number(),
  restarts: z.number(),
  ready: z.boolean(),
  /** User of its own; null = the engine's. Absent in records of older engines. */
  uid: z.number().nullable().default(null),
  startedAt: z.coerce.date(),
  /** Length of the output file when the process started, in bytes. */
  outputStart: z.number(),
})
export type ProcessRecord = z.infer<typeof ProcessRecord>

export type ReplicaPaths = {
  readonly record: string
  readonly launch: string
  readonly output: string
  readonly work: string
  /** In `work`: for temporary files where nothing better is enforced. */
  readonly temporary: string
  /** Compiled code of an isolated process. */
  readonly code: string
}
export type StateFiles = ReturnType<typeof openStateFiles>

/** @param onDamage is told of files that can't be read; they are removed, their processes are leftovers. */
export function openStateFiles(dataDir: string, onDamage: (path: string, problem: string) => void) {
  const root = join(dataDir, 'run')
  const dir = (name: string) => {
    const path = join(root, name)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }
  const workloads = dir('workloads')
  const records = dir('replicas')
  const launches = dir('launch')
  const outputs = dir('logs')
  const work = dir('work')
  const code = dir('code')

  const discard = (path: string, problem: string) => {
    onDamage(path, problem)
    rmSync(path, { force: true })
  }
  const readAll = <T>(folder: string, schema: z.ZodType<T>, toSaved: (value: T) => object): T[] => {
    const names = readdirSync(folder)
    const isWhole = (name: string) => name.endsWith('.json')
    // Drafts first: a file that is written anew has its own in the same place.
    for (const name of names) if (!isWhole(name)) discard(join(folder, name), 'half-written')
    return names.filter(isWhole).flatMap((name) => {
      const path = join(folder, name)
      const text = readFileSync(path, 'utf8')
      const parsed = parseJson(schema, text)
      if (!parsed.ok) {
        discard(path, parsed.problem)
        return []
      }
      // An older engine wrote values down.
      const saved = JSON.stringify(toSaved(parsed.value))
      if (saved !== text) writeAtomically(path, saved)
      return [parsed.value]
    })
  }

  return {
    /** Every launch file of this data directory starts so; processes carry its path in their environment. */
    launchPrefix: join(launches, '/'),
    pathsOf(workloadId: string, replica: number): ReplicaPaths {
      // Short, because a Unix socket's path has 104 bytes at most and workers have theirs in here.
      const name = `${createNameHash(workloadId)}-${replica}`
      const folder = join(work, name)
      return {
        record: join(records, `${workloadId}.${replica}.json`),
        launch: join(launches, `${workloadId}.${replica}.json`),
        output: join(outputs, `${workloadId}.${replica}.log`),
        work: folder,
        temporary: join(folder, 'tmp'),
        code: join(code, name),
      }
    },
    loadWorkloads: () => readAll(workloads, SavedWorkload, withoutValues),
    loadRecords: () => readAll(records, ProcessRecord, toSavedRecord),
    saveWorkload: (workload: Workload) =>
      writeAtomically(
        join(workloads, `${workload.id}.json`),
        JSON.stringify(withoutValues(workload)),
      ),
    forgetWorkload: (id: string) => rmSync(join(workloads, `${id}.json`), { force: true }),
    saveRecord: (paths: ReplicaPaths, record: ProcessRecord) =>
      writeAtomically(paths.record, JSON.stringify(toSavedRecord(record))),
    saveLaunch: (paths: ReplicaPaths, launch: object) =>
      writeAtomically(paths.launch, JSON.stringify(launch)),
    /** Its process has read it, and nobody else needs the secrets in there. */
    forgetLaunch: (paths: ReplicaPaths) => rmSync(paths.launch, { force: true }),
    /** The replica is gone for good; its output stays for whoever asks why. */
    forgetReplica(paths: ReplicaPaths) {
      // The record last: by it the next engine finds what a crash leaves of the others.
      for (const path of [paths.launch, paths.work, paths.code, paths.record])
        rmSync(path, { recursive: true, force: true })
    },
    /** Removes what crashes left: files of replicas without a record, and outputs of workloads that are gone. */
    keepOnly(replicas: readonly ReplicaPaths[], workloadIds: ReadonlySet<string>) {
      const known = new Set(replicas.flatMap((paths) => [paths.launch, paths.work, paths.code]))
      for (const folder of [launches, work, code])
        for (const name of readdirSync(folder))
          if (!known.has(join(folder, name)))
            rmSync(join(folder, name), { recursive: true, force: true })
      for (const name of readdirSync(outputs))
        if (!workloadIds.has(name.replace(/\.\d+\.log(?:\.1)?$/, '')))
          rmSync(join(outputs, name), { recursive: true, force: true })
    },
    forgetOutputs(workloadId: string) {
      for (const name of readdirSync(outputs)) {
        const rest = name.startsWith(`${workloadId}.`) ? name.slice(workloadId.length + 1) : ''
        if (/^\d+\.log(\.1)?$/.test(rest)) rmSync(join(outputs, name), { force: true })
      }
    },
  }
}

function toSavedRecord(record: ProcessRecord): ProcessRecord {
  return { ...record, workload: withoutValues(record.workload) }
}

/** Whether it was read from a file that left its values out. */
export function isWithoutValues(workload: Workload): boolean {
  return 'isPartial' in workload && workload.isPartial === true
}

function withoutValues(workload: Workload): SavedWorkload {
  const { spec } = workload
  const plain = { ...workload, isPartial: isWithoutValues(workload) }
  if (spec.kind === 'entrypoint') return plain
  const members = [spec, ...(spec.fused ?? [])]
  const hasValues = members.some(
    ({ config }) => Object.keys(config.variables).length + Object.keys(config.files).length > 0,
  )
  const config = { variables: {}, files: {} }
  const fused = spec.fused?.map((member) => ({ ...member, config }))
  return {
    ...plain,
    isPartial: plain.isPartial || hasValues,
    spec: { ...spec, config, ...(fused === undefined ? {} : { fused }) },
  }
}

/** Mode 0600, because launch files and specs hold secrets; either the old or the new content is there, never half. */
export function writeAtomically(path: string, content: string): void {
  const draft = `${path}.draft`
  writeFileSync(draft, content, { mode: 0o600 })
  renameSync(draft, path)
}

/** An empty file of mode 0600 to append to; what it has is kept. */
export function openForAppend(path: string): number {
  appendFileSync(path, '', { mode: 0o600 })
  return openSync(path, 'a')
}

function parseJson<T>(
  schema: z.ZodType<T>,
  text: string,
): { ok: true; value: T } | { ok: false; problem: string } {
  try {
    const parsed = schema.safeParse(JSON.parse(text))
    return parsed.success
      ? { ok: true, value: parsed.data }
      : { ok: false, problem: z.prettifyError(parsed.error) }
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, problem: error.message }
    throw error
  }
}
