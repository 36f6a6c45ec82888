/**
 * What a kubelet does with a pod of a version, as far as processes go: it fills the volumes from the objects of the
 * cluster, runs the program that prepares the pod, and starts the one that serves. Its folders are below one of the test.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { extractBundle, writePythonModules } from '@kre/bundle'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { openPartSource } from '../../../k8s-manager/src/kubernetes/pod/open-part-source.ts'
import { POD } from '../../../k8s-manager/src/kubernetes/pod-layout.ts'
import { type PodFolders, preparePod } from '../../../k8s-manager/src/kubernetes/pod/prepare-pod.ts'
import { root } from '../../support/kre.ts'
import type { Pod } from './fake-nodes.ts'
import { ask } from './test-cluster.ts'

export type RunningPod = AsyncDisposable & {
  readonly launch: { readonly listen?: { readonly port: number } }
  readonly process: ChildProcess
}

/** @param port that an entrypoint listens on in place of its own. */
export async function runPod(admin: Cluster, pod: Pod, port: number): Promise<RunningPod> {
  const home = await mkdtemp(join(tmpdir(), 'kre-pod-'))
  const folders = Object.fromEntries(
    Object.entries(POD).map(([name, path]) => [name, join(home, path)]),
  ) as PodFolders
  const own = { ...folders, files: join(folders.bundle, 'files') }
  for (const [name, path] of Object.entries(own))
    if (name !== 'files') await mkdir(path, { recursive: true })
  const secret = secretsOf(admin, pod)
  await mountConfig(own, pod, secret)
  await mountAccess(own, pod, secret)
  await preparePod({
    folders: own,
    uid: pod.metadata?.uid ?? '',
    python: 'python3',
    env: {},
    connect: openPartSource,
    tools: { extractBundle, writePythonModules },
    signal: new AbortController().signal,
  })
  const file = join(own.launch, 'launch.json')
  const launch = JSON.parse(await readFile(file, 'utf8')) as { kind: string; listen?: object }
  if (launch.listen !== undefined) launch.listen = { host: '127.0.0.1', port }
  await rm(file)
  await writeFile(file, JSON.stringify(launch))
  const child = spawn(process.execPath, [programOf(launch.kind)], {
    cwd: own.temporary,
    env: { PATH: process.env['PATH'], HOME: own.temporary, KRE_LAUNCH_FILE: file },
    stdio: ['ignore', process.env['KRE_SHOW_PODS'] ? 'inherit' : 'ignore', 'inherit'],
  })
  return {
    launch: launch as RunningPod['launch'],
    process: child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await rm(home, { recursive: true, force: true })
    },
  }
}

function programOf(kind: string): string {
  return join(root, 'runners', kind === 'node' ? 'node-runner' : 'entrypoint', 'src/main.ts')
}

type SecretReader = (name: string | undefined, key: string) => Promise<Buffer>

function secretsOf(admin: Cluster, { metadata }: Pod): SecretReader {
  return async (name = '', key) => {
    const path = `/api/v1/namespaces/${metadata?.namespace}/secrets/${name}`
    const { data } = (await ask(admin, 'GET', path)) as { data: Record<string, string> }
    const value = data[key]
    if (value === undefined) throw new Error(`the Secret ${name} has no ${key}`)
    return Buffer.from(value, 'base64')
  }
}

async function mountConfig(folders: PodFolders, pod: Pod, secret: SecretReader): Promise<void> {
  const config = pod.spec?.volumes?.find(({ name }) => name === 'config')?.projected
  for (const source of config?.sources ?? []) {
    for (const { path, fieldRef } of source.downwardAPI?.items ?? []) {
      const name = /^metadata\.annotations\['(.*)'\]$/.exec(fieldRef?.fieldPath ?? '')?.[1] ?? ''
      await writeFile(join(folders.config, path), pod.metadata?.annotations?.[name] ?? '')
    }
    for (const { path, key } of source.secret?.items ?? [])
      await writeFile(join(folders.config, path), await secret(source.secret?.name, key))
  }
}

async function mountAccess(folders: PodFolders, pod: Pod, secret: SecretReader): Promise<void> {
  const access = pod.spec?.volumes?.find(({ name }) => name === 'access')?.secret
  for (const { path, key } of access?.items ?? [])
    await writeFile(join(folders.access, path), await secret(access?.secretName, key))
}
