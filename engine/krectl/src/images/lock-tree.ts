/** What a program needs of node_modules: a pure function of package-lock.json. */
import { KreError } from '@kre/contracts'
import { z } from 'zod'

const Names = z.record(z.string(), z.string()).default({})

const LockEntry = z.object({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  link: z.boolean().default(false),
  optional: z.boolean().default(false),
  os: z.array(z.string()).default([]),
  cpu: z.array(z.string()).default([]),
  libc: z.array(z.string()).default([]),
  dependencies: Names,
  optionalDependencies: Names,
  peerDependencies: Names,
  peerDependenciesMeta: z
    .record(z.string(), z.object({ optional: z.boolean().optional() }))
    .default({}),
})
type LockEntry = z.infer<typeof LockEntry>

const LockFile = z.object({
  lockfileVersion: z.literal(3),
  packages: z.record(z.string(), LockEntry),
})
export type LockFile = z.infer<typeof LockFile>

export type Platform = {
  os: 'linux'
  /** As Node names it. */
  cpu: 'x64' | 'arm64'
}

/** One package of the tree. */
export type LockedPackage = {
  /** Folder in the repository: `node_modules/zod`, or `engine/contracts` for one of ours. */
  path: string
  name: string
  version: string
  license: string | null
  /** `sha512-...` of the archive that npm gets; null for ours. */
  integrity: string | null
  isOurs: boolean
}

/** @throws KreError `invalid-argument` for anything but a lock file of version 3. */
export function parseLockFile(text: string): LockFile {
  const parsed = LockFile.safeParse(JSON.parse(text))
  if (parsed.success) return parsed.data
  throw new KreError(
    'invalid-argument',
    `package-lock.json can't be used: ${z.prettifyError(parsed.error)}. npm 7 or newer writes version 3`,
  )
}

/**
 * All packages that the workspaces need in production, as npm has laid them out; those of other platforms and those in
 * `omit` are left out with all that only they need.
 *
 * @param workspaces folders.
 * @param omit names.
 * @returns sorted by path.
 * @throws KreError `not-found` for a workspace or a package that the lock file does not have.
 */
export function productionTree(
  { packages }: LockFile,
  workspaces: readonly string[],
  platform: Platform,
  omit: ReadonlySet<string> = new Set(),
): LockedPackage[] {
  const found = new Map<string, LockedPackage>()
  const waiting = [...workspaces]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue
    const entry = packages[path]
    if (entry === undefined)
      throw new KreError('not-found', `package-lock.json has no "${path}": run npm install`)
    if (entry.link) {
      waiting.push(entry.resolved ?? '')
      continue
    }
    found.set(path, describe(path, entry))
    for (const [name, isOptional] of needsOf(entry)) {
      if (omit.has(name)) continue
      const place = resolve(packages, path, name)
      if (place !== null && fits(packages[place], platform)) waiting.push(place)
      else if (place === null && !isOptional)
        throw new KreError(
          'not-found',
          `package-lock.json has no "${name}", which "${path}" needs: run npm install`,
        )
    }
  }
  return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function needsOf(entry: LockEntry): Map<string, boolean> {
  const peers = Object.keys(entry.peerDependencies).map(
    (name) => [name, entry.peerDependenciesMeta[name]?.optional === true] as const,
  )
  return new Map<string, boolean>([
    // A peer that may be absent is somebody else's wish, when it is there at all.
    ...peers.filter(([, isOptional]) => !isOptional),
    ...Object.keys(entry.dependencies).map((name) => [name, false] as const),
    ...Object.keys(entry.optionalDependencies).map((name) => [name, true] as const),
  ])
}

/** As Node looks for it: in the nearest node_modules upwards. */
function resolve(packages: LockFile['packages'], from: string, name: string): string | null {
  const segments = from.split('/')
  for (let length = segments.length; length >= 0; length--) {
    if (segments[length - 1] === 'node_modules') continue
    const place = [...segments.slice(0, length), 'node_modules', name].join('/')
    if (packages[place] !== undefined) return place
  }
  return null
}

function fits(entry: LockEntry | undefined, { os, cpu }: Platform): boolean {
  if (entry === undefined) return false
  // Bases are Debian's, with the GNU library.
  return allows(entry.os, os) && allows(entry.cpu, cpu) && allows(entry.libc, 'glibc')
}

/** npm's lists: names that fit, or names with `!` that do not. */
function allows(list: readonly string[], value: string): boolean {
  if (list.includes(`!${value}`)) return false
  const wanted = list.filter((name) => !name.startsWith('!'))
  return wanted.length === 0 || wanted.includes(value)
}

function describe(path: string, entry: LockEntry): LockedPackage {
  const inModules = path.lastIndexOf('node_modules/')
  const name = entry.name ?? path.slice(inModules + 'node_modules/'.length)
  return {
    path,
    name,
    version: entry.version ?? '0.0.0',
    license: entry.license ?? null,
    integrity: entry.integrity ?? null,
    isOurs: inModules < 0,
  }
}
