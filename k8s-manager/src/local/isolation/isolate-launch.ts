/** What an isolated replica sees of this computer, and who it is there. */
import { chmodSync, chownSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isolatedCommand, type IsolationKind } from '@kre/service-kit/isolation'
import type { CodeCache } from './code-cache.ts'
import { pathsToShow } from './paths-to-show.ts'
import { createUidCheck, isReplicaUid, replicaUid } from './replica-user.ts'

export type Isolation = {
  readonly kind: IsolationKind
  readonly dataDir: string
  /** Null = compiled code is not kept. */
  readonly codeCache: CodeCache | null
}

export type IsolatedFiles = {
  launch: string
  work: string
  /** For compiled code. */
  code: string
  /** Folder of the bundle, with all that was made of it. */
  bundle: string
  cwd: string
  /** Null = no Python. */
  python: string | null
  command: readonly string[]
}

export type IsolatedProcess = {
  command: readonly string[]
  env: Readonly<Record<string, string>>
  /** User of its own; null = the engine's. */
  uid: number | null
}

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url))
/** Names of other computers are looked up with it. */
const SYSTEM_SHOWN = ['/run/systemd/resolve', '/run/resolvconf', '/run/NetworkManager']

/** Gives the replica its files, and its command the view of nothing else of the engine. */
export function isolateLaunch(isolation: Isolation, files: IsolatedFiles): IsolatedProcess {
  const { kind, dataDir, codeCache } = isolation
  const uid = kind === 'own-user' ? userOf(files.work) : null
  if (uid !== null) give(files, uid)
  codeCache?.give(files.code, uid)
  const stage = join(dataDir, 'run', 'stage')
  mkdirSync(stage, { recursive: true, mode: 0o700 })
  const programs = [process.execPath, REPOSITORY, ...interpreters(files.python)]
  const shown = [files.launch, files.bundle, ...programs.map(programRoot), ...SYSTEM_SHOWN]
  const hide = [...hiddenFolders(dataDir), ...(uid === null ? [] : shown.flatMap(closedAncestor))]
  const view = {
    stage,
    cwd: files.cwd,
    hide: [...new Set(hide)],
    readOnly: pathsToShow(shown, [...hide, '/tmp']).filter(existsSync),
    writable: codeCache === null ? [files.work] : [files.work, files.code],
  }
  return {
    command: isolatedCommand(kind, view, uid, files.command),
    env: {
      HOME: '/tmp',
      TMPDIR: '/tmp',
      ...(codeCache === null ? {} : { NODE_COMPILE_CACHE: files.code }),
    },
    uid,
  }
}

/** A restart keeps the folder, and so the user; all of its processes have been ended. */
function userOf(work: string): number {
  const owner = statSync(work).uid
  return isReplicaUid(owner) ? owner : replicaUid(work, createUidCheck())
}

function give({ launch, work, bundle }: IsolatedFiles, uid: number): void {
  chmodSync(launch, 0o400)
  for (const path of [launch, work]) chownSync(path, uid, uid)
  // Its files are readable for everybody who gets here, and only its processes do.
  chmodSync(bundle, 0o755)
}

/** Of the engine, of its user, and of other programs' sockets. */
function hiddenFolders(dataDir: string): string[] {
  const folders = [dataDir, homedir(), '/tmp', '/var/tmp', '/run']
  return folders.filter((folder) => folder !== '/' && folder !== '/tmp')
}

/** The outermost folder around a path that others can't pass: hidden, it can be passed to what is shown in it. */
function closedAncestor(path: string): string[] {
  const parts = path.split(sep).slice(1, -1)
  const ancestors = parts.map((_, i) => sep + parts.slice(0, i + 1).join(sep))
  const closed = ancestors.find(
    (folder) => (statSync(folder, { throwIfNoEntry: false })?.mode ?? 1) % 2 === 0,
  )
  return closed === undefined ? [] : [closed]
}

function interpreters(python: string | null): string[] {
  if (python === null) return []
  // A virtual environment, and the installation that it links to.
  return [python, realpathSync(python)]
}

/** Folder that a program needs of its installation: `/opt/x` of `/opt/x/bin/node`. */
function programRoot(path: string): string {
  return path.endsWith(sep) ? path.slice(0, -1) : dirname(dirname(path))
}
