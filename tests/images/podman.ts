/** Containers for tests: read-only, without rights, as a pod of a cluster has it. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { waitUntil } from '@kre/service-kit'

const run = promisify(execFile)

/** Flags of podman on computers where its defaults do not work, as in `--runtime runc`. */
const FLAGS = (process.env['KRE_PODMAN_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '')
/** Bounds below those of this computer, because podman's own need the right to raise them. */
const RUN = ['run', '--rm', '--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=1024:1024'] as const
/** What pods of versions run as. */
export const POD_USER = 65_534

/** Why images can't be tried here, which is said; null = they can. */
export function whyNoImages(): string | null {
  const why = missing()
  if (why !== null) process.stderr.write(`skipped: tests of images. ${why}\n`)
  return why
}

function missing(): string | null {
  if (process.env['KRE_TEST_IMAGES'] === undefined)
    return 'They need images: run ./krectl.sh test --images'
  if (process.getuid?.() !== 0) return 'They run containers as root, and this is another user'
  return null
}

export function imageOf(name: string): string {
  return `localhost/kre/${name}:test`
}

export async function podman(...args: string[]): Promise<string> {
  const { stdout } = await run('podman', [...FLAGS, ...args], { maxBuffer: 64 * 1024 * 1024 })
  return stdout.trim()
}

/** What a script says that Node runs in an image, without a network. */
export async function runScript(image: string, script: string): Promise<string> {
  return podman(...RUN, '--network', 'none', '--entrypoint', 'node', imageOf(image), '-e', script)
}

export type ContainerOptions = {
  user?: number
  environment?: Readonly<Record<string, string>>
  /** Folders of this computer, at the same place in the container. */
  folders?: readonly string[]
  /** Folders of this computer elsewhere in the container. */
  mounts?: readonly { from: string; to: string; readOnly: boolean }[]
  /** Where it starts; default: as the image says. */
  folder?: string
  /** Folders in memory that it may write to, besides `/tmp`. */
  scratch?: readonly string[]
  command?: readonly string[]
}

/** As `spawn`: the process is podman's, which ends with the container. The network is this computer's. */
export function spawnContainer(
  name: string,
  image: string,
  {
    user = POD_USER,
    environment = {},
    folders = [],
    mounts = [],
    folder,
    scratch = [],
    command = [],
  }: ContainerOptions,
): ChildProcess {
  const args = [
    ...RUN,
    '--name',
    name,
    '--network',
    'host',
    '--read-only',
    '--cap-drop',
    'all',
    '--security-opt',
    'no-new-privileges',
    '--user',
    `${user}:${user}`,
    ...(mounts.some(({ to }) => to === '/tmp') ? [] : ['--tmpfs', '/tmp:rw,mode=1777']),
    ...(folder === undefined ? [] : ['--workdir', folder]),
    '--read-only-tmpfs=false',
    ...mounts.flatMap(({ from, to, readOnly }) => [
      '--volume',
      `${from}:${to}${readOnly ? ':ro' : ''}`,
    ]),
    ...scratch.flatMap((path) => ['--tmpfs', `${path}:rw,mode=1777`]),
    ...Object.entries(environment).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...folders.flatMap((path) => ['--volume', `${path}:${path}`]),
    image,
    ...command,
  ]
  return spawn('podman', [...FLAGS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

export function containerName(): string {
  return `kre-test-${randomUUID().slice(0, 8)}`
}

/** What the kernel says of the first process of a container. */
export async function statusOf(name: string): Promise<Record<string, string>> {
  const pid = await podman('inspect', '--format', '{{.State.Pid}}', name)
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  const rows = text.split('\n').map((line) => line.split(':\t'))
  return Object.fromEntries(rows.map(([key = '', value = '']) => [key, value.trim()]))
}

/** Ends it. Podman's own removal of a container that ends (`--rm`) may come in between, so it is tried again. */
export async function removeContainer(name: string): Promise<void> {
  const remove = async () =>
    podman('rm', '--force', '--ignore', '--time', '5', name).then(
      () => true,
      () => false,
    )
  await waitUntil(`container ${name} is gone`, remove, { timeoutMs: 60_000 })
}
