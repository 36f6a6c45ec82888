/** Where things are in a pod: agreed between the manifests and the program that prepares a pod. */

/**
 * What an engine and an image agree on: programs, folders, files and what is in them. It grows with each change that
 * images from before could not live with.
 */
export const POD_LAYOUT = 1

/** In `images.root`: what containers start. */
export const PROGRAM_FOLDER = 'programs'

/** Folders. */
export const POD = {
  /** What the pod is to run, and the values of its configuration. */
  config: '/kre/config',
  /** Secret with credentials, which newer ones replace while the pod runs. */
  access: '/kre/access',
  /** Holds the launch file, in memory. */
  launch: '/kre/launch',
  /** The bundle with what is made of it. */
  bundle: '/kre/bundle',
  /** The bundle's files alone: `KRT_BASE_PATH`. */
  files: '/krt-files',
  work: '/kre/work',
  temporary: '/tmp',
} as const

/** Names of files in these folders. */
export const LAUNCH_KEY = 'launch.json'
export const VALUES_KEY = 'values.json'
export const NATS_KEY = 'nats.json'
export const CREDENTIALS_KEY = 'credentials.json'

export const LAUNCH_FILE = `${POD.launch}/launch.json`
export const PORTS = { grpc: 9000, health: 8081 } as const

/**
 * A replica's number, from the pod's identity: pods of a Deployment have none, and two processes with one number would
 * each take the other for dead. 31 of its 122 random bits.
 */
export function replicaNumber(podUid: string): number {
  const digits = /^[0-9a-f]{8}/i.exec(podUid)?.[0]
  return digits === undefined ? 0 : Number.parseInt(digits, 16) >>> 1
}
