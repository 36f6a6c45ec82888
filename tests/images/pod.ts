/** A pod of a version as containers: what its Deployment says, and what a kubelet makes of that. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Workload } from '@kre/contracts'
import type { renderWorkload } from '../../k8s-manager/src/kubernetes/manifests/render-workload.ts'
import type { accessSecret } from '../../k8s-manager/src/kubernetes/manifests/secrets.ts'
import { containerName, POD_USER, removeContainer, spawnContainer } from './podman.ts'

type Deployment = ReturnType<typeof renderWorkload>['deployment']
type Container = NonNullable<
  NonNullable<Deployment['spec']>['template']['spec']
>['containers'][number]

export type PodParts = {
  deployment: Deployment
  secrets: readonly (ReturnType<typeof accessSecret> | null)[]
}
export type RunningPod = AsyncDisposable & {
  readonly workload: Workload
  /** Of the container that goes on. */
  readonly container: string
  /** Free port of this computer that it was given in place of the pod's own: for gRPC, or for its health. */
  readonly port: number
  /** What its first program has said. */
  readonly prepared: string
  /** What its second program has said. */
  said(): string
}

/**
 * Its first program has ended well, and its second one runs.
 *
 * @param preload file of this computer that the first program loads before all else.
 * @throws Error with what the first one said.
 */
export async function startPod(
  workload: Workload,
  parts: PodParts,
  preload: string | null = null,
): Promise<RunningPod> {
  const home = await mkdtemp(join(tmpdir(), 'kre-image-pod-'))
  const container = containerName()
  let running: ChildProcess | null = null
  const end = async () => {
    await removeContainer(container)
    if (running !== null && running.exitCode === null) await once(running, 'exit')
    await rm(home, { recursive: true, force: true })
  }
  try {
    await fillVolumes(home, parts)
    const { initContainers: [first] = [], containers: [second] = [] } =
      parts.deployment.spec?.template.spec ?? {}
    if (first === undefined || second === undefined) throw new Error('the pod has no programs')
    const prepared = await prepare(home, first, preload)
    const port = await freePort()
    if (workload.spec.kind === 'entrypoint') await listenOn(port, join(home, 'launch/launch.json'))
    running = spawnContainer(container, second.image ?? '', optionsOf(home, second, port))
    let text = ''
    for (const stream of [running.stdout, running.stderr])
      stream?.on('data', (chunk: Buffer) => (text += String(chunk)))
    return { workload, container, port, prepared, said: () => text, [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    throw error
  }
}

/** @returns what it has said. */
async function prepare(home: string, first: Container, preload: string | null): Promise<string> {
  const options = optionsOf(home, first, 0)
  if (preload !== null) {
    options.mounts.push({ from: preload, to: '/preload.cjs', readOnly: true })
    options.environment['NODE_OPTIONS'] = '--require=/preload.cjs'
  }
  const child = spawnContainer(containerName(), first.image ?? '', options)
  const said: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the pod was not prepared (${code}): ${said.join('')}`)
  return said.join('')
}

/** All pods share this computer's network, where the port of one would be that of all. */
async function listenOn(port: number, file: string): Promise<void> {
  const launch = JSON.parse(await readFile(file, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...launch, listen: { host: '127.0.0.1', port } }))
}

function optionsOf(
  home: string,
  { command = [], env = [], volumeMounts = [], workingDir = '/tmp' }: Container,
  port: number,
) {
  const values = env.map(({ name, value, valueFrom }) => {
    if (name === 'KRE_HEALTH_PORT') return [name, String(port)]
    return [
      name,
      valueFrom?.fieldRef === undefined ? (value ?? '') : '00000002-0000-4000-8000-000000000000',
    ]
  })
  return {
    command,
    folder: workingDir,
    environment: Object.fromEntries(values) as Record<string, string>,
    mounts: volumeMounts.map(({ name, subPath = '', mountPath, readOnly = false }) => ({
      from: join(home, name, subPath),
      to: mountPath,
      readOnly,
    })),
  }
}

/** As the kubelet does it: files of Secrets and annotations, and empty folders, for the pod's user. */
async function fillVolumes(home: string, { deployment, secrets }: PodParts): Promise<void> {
  const template = deployment.spec?.template
  for (const { name, projected, secret } of template?.spec?.volumes ?? []) {
    const folder = join(home, name)
    await mkdir(folder)
    const items = [
      ...(secret?.items ?? []).map(({ path, key }) => ({ path, key, of: secret?.secretName })),
      ...(projected?.sources ?? []).flatMap(({ secret: source }) =>
        (source?.items ?? []).map(({ path, key }) => ({ path, key, of: source?.name })),
      ),
    ]
    for (const { path, key, of } of items) {
      const data = secrets.find((one) => one?.metadata?.name === of)?.data?.[key] ?? ''
      await writeFile(join(folder, path), Buffer.from(data, 'base64'), { mode: 0o400 })
    }
    for (const { downwardAPI } of projected?.sources ?? [])
      for (const { path, fieldRef } of downwardAPI?.items ?? []) {
        const annotation = /\['(.*)'\]/.exec(fieldRef?.fieldPath ?? '')?.[1] ?? ''
        await writeFile(join(folder, path), template?.metadata?.annotations?.[annotation] ?? '')
      }
  }
  execFileSync('chown', ['-R', `${POD_USER}:${POD_USER}`, home])
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
