/** The command line of an isolated process. Pure. */
import { fileURLToPath } from 'node:url'
import { GiB, MiB } from '@kre/contracts'

/**
 * `own-user`: the engine is root, each process gets a user of its own. `user-namespace`: the process stays the engine's
 * user, in a namespace without its rights over others.
 */
export type IsolationKind = 'own-user' | 'user-namespace'

export type IsolatedView = {
  /** An empty folder that only the engine uses. */
  stage: string
  /** Where the process starts. */
  cwd: string
  /** Folders that look empty. */
  hide: readonly string[]
  /** Shown although they are in hidden folders. */
  readOnly: readonly string[]
  writable: readonly string[]
}

/** Threads and processes of one replica together. A runner has a dozen; libraries of numbers one per core and pool. */
export const PROCESSES_MAX = 512
export const OPEN_FILES_MAX = 4096
/** Bytes of one file that a replica writes. */
export const FILE_BYTES_MAX = 1 * GiB
/** Bytes of a replica's temporary files, which are in memory. */
export const TEMPORARY_BYTES_MAX = 256 * MiB
/** Bytes of shared memory, for libraries that work with several processes. */
const SHARED_BYTES_MAX = 64 * MiB

const SCRIPT = fileURLToPath(new URL('isolate.sh', import.meta.url))

/** @param uid of the process; null = the engine's own. */
export function isolatedCommand(
  kind: IsolationKind,
  view: IsolatedView,
  uid: number | null,
  command: readonly string[],
): string[] {
  const namespaces = kind === 'own-user' ? [] : ['--user', '--map-current-user', '--keep-caps']
  return [
    'unshare',
    ...namespaces,
    '--mount',
    '--propagation',
    'private',
    '--',
    '/bin/sh',
    SCRIPT,
    view.stage,
    view.cwd,
    ...viewWords(kind, view),
    '--',
    ...limits(kind),
    'setpriv',
    ...(uid === null ? [] : [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']),
    '--no-new-privs',
    '--ambient-caps=-all',
    '--inh-caps=-all',
    '--bounding-set=-all',
    '--',
    ...command,
  ]
}

function viewWords(kind: IsolationKind, view: IsolatedView): string[] {
  const steps = [
    ...view.hide.map((path) => ({ path, word: `hide=${path}` })),
    { path: '/tmp', word: `tmp=${TEMPORARY_BYTES_MAX}:/tmp` },
    { path: '/dev/shm', word: `tmp=${SHARED_BYTES_MAX}:/dev/shm` },
    ...view.readOnly.map((path) => ({ path, word: `ro=${path}` })),
    ...view.writable.map((path) => ({ path, word: `rw=${path}` })),
  ]
  // What contains others comes first, or it would cover them.
  const sorted = steps.toSorted((a, b) => a.path.length - b.path.length).map(({ word }) => word)
  return kind === 'own-user' ? ['proc=hide', ...sorted] : sorted
}

function limits(kind: IsolationKind): string[] {
  return [
    'prlimit',
    '--core=0',
    `--nofile=${OPEN_FILES_MAX}`,
    `--fsize=${FILE_BYTES_MAX}`,
    // Counted per user: of a shared one, everything that this user runs would count.
    ...(kind === 'own-user' ? [`--nproc=${PROCESSES_MAX}`] : []),
    '--',
  ]
}
