import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { KreError } from '@kre/contracts'
import type { KrtIssue } from '@kre/contracts'
import type { Version } from '@kre/store'
import { authorizeAgain } from '../access/while-allowed.ts'
import { carryOver } from '../config/carry-over.ts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { quoted } from '../text.ts'
import { bundleLock, dropUnusedBundle } from './drop-unused-bundle.ts'
import type { IngestResult } from './ingest-bundle.ts'
import { requireRuntime } from './version-state.ts'

export type CreateVersionDeps = Pick<
  FeatureDeps,
  | 'runtimes'
  | 'versions'
  | 'config'
  | 'bundles'
  | 'ingest'
  | 'events'
  | 'now'
  | 'newId'
  | 'lock'
  | 'uploadLimits'
  | 'currentPrincipal'
>

export type CreateVersion = {
  readonly principal: Principal
  readonly runtimeId: string
  readonly stream: Readable
  readonly signal: AbortSignal
}

/** `created` is false when the runtime has this version with the very same contents already. */
export type CreateVersionResult =
  | { ok: true; created: boolean; version: Version; issues: readonly KrtIssue[] }
  | { ok: false; issues: readonly KrtIssue[] }

type ValidBundle = Extract<IngestResult, { ok: true }>

/**
 * Makes a version of an uploaded bundle. An invalid bundle never becomes a version and leaves nothing behind.
 *
 * @throws KreError `already-exists` when the runtime has a version of this name with other contents,
 * `failed-precondition` (`details.reason` `VERSIONS_QUOTA`) when it has too many.
 */
export async function createVersion(
  deps: CreateVersionDeps,
  command: CreateVersion,
): Promise<CreateVersionResult> {
  authorize(command.principal, 'edit versions', command.runtimeId)
  await requireRuntime(deps, command.runtimeId)
  const { stream, signal } = command
  const bundle = await deps.ingest({ stream }, { scratchDir: deps.bundles.scratchDir, signal })
  if (!bundle.ok) return bundle
  try {
    // It may have been on its way for a long time.
    const { principal, runtimeId } = command
    await authorizeAgain(deps, { principal, action: 'edit versions', runtimeId })
    return await takeOver(deps, command, bundle)
  } finally {
    // Moved away when the version was made; left over in every other case.
    await rm(bundle.file, { force: true })
  }
}

async function takeOver(
  deps: CreateVersionDeps,
  { runtimeId, principal }: CreateVersion,
  bundle: ValidBundle,
): Promise<CreateVersionResult> {
  const { manifest } = bundle.facts
  const existing = await findSame(deps, runtimeId, bundle)
  if (existing !== null) return existing
  // It may have been deleted while the bundle was on its way.
  await requireRuntime(deps, runtimeId)
  const earlier = await deps.versions.list(runtimeId)
  const { versionsMax } = deps.uploadLimits
  if (earlier.length >= versionsMax) throw tooManyVersions(runtimeId, versionsMax)
  const version: Version = {
    id: deps.newId(),
    runtimeId,
    name: manifest.version,
    description: manifest.description,
    bundleDigest: bundle.digest,
    bundleBytes: bundle.bytes,
    facts: { ...bundle.facts, issues: [...bundle.issues] },
    createdAt: deps.now(),
    createdBy: principal.email,
    publishedAt: null,
    publishedBy: null,
  }
  const lost = await insert(deps, version, bundle)
  if (lost !== null) return lost
  const values = await Promise.all(
    earlier.map(({ name }) => deps.config.get(runtimeId, name, { leaveOutDamaged: true })),
  )
  const carried = carryOver(manifest, values, deps.now())
  if (carried.length > 0) await deps.config.set(runtimeId, version.name, carried)
  deps.events.publish({ type: 'version.created', runtimeId, version: version.name })
  return { ok: true, created: true, version, issues: bundle.issues }
}

function tooManyVersions(runtimeId: string, versionsMax: number): KreError {
  return new KreError(
    'failed-precondition',
    `runtime ${quoted(runtimeId)} has ${versionsMax} versions, which is the most it may have: delete those nobody needs`,
    { reason: 'VERSIONS_QUOTA', versionsMax },
  )
}

/** Stores the bundle and the version. Of parallel calls for one name one wins; the others get what it made, or the refusal. */
async function insert(
  deps: CreateVersionDeps,
  version: Version,
  bundle: ValidBundle,
): Promise<CreateVersionResult | null> {
  try {
    await deps.lock(bundleLock(bundle.digest), async () => {
      await deps.bundles.put(bundle.digest, bundle.file)
      await deps.versions.create(version)
    })
    return null
  } catch (error) {
    await dropUnusedBundle(deps, bundle.digest)
    if (!(error instanceof KreError) || error.code !== 'already-exists') throw error
    const winner = await findSame(deps, version.runtimeId, bundle)
    if (winner === null) throw error
    return winner
  }
}

/** The runtime's version of the bundle's name, when it has the same contents; null = the name is free. */
async function findSame(
  deps: CreateVersionDeps,
  runtimeId: string,
  bundle: ValidBundle,
): Promise<CreateVersionResult | null> {
  const name = bundle.facts.manifest.version
  const version = await deps.versions.find(runtimeId, name)
  if (version === null) return null
  if (version.bundleDigest === bundle.digest)
    return { ok: true, created: false, version, issues: bundle.issues }
  throw new KreError(
    'already-exists',
    `runtime ${quoted(runtimeId)} has a version ${quoted(name)} with other contents: give the new one another name in its manifest`,
    { reason: 'VERSION_EXISTS', version: name, digest: version.bundleDigest },
  )
}
