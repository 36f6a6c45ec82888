import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { EntrypointLaunch, NodeLaunch } from '@kre/contracts'
import type { V1Secret } from '@kubernetes/client-node'
import { kubernetesSettings } from '../../testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../../testing/workloads.ts'
import { accessSecret, configSecret } from '../manifests/secrets.ts'
import { POD } from '../pod-layout.ts'
import { type PodFolders, preparePod } from './prepare-pod.ts'

const ARCHIVE = Buffer.from('the canonical archive')
const DIGEST = createHash('sha256').update(ARCHIVE).digest('hex')
const TOKEN = 'bundle-token'
const UID = '00000002-0000-4000-8000-000000000000'
const NATS = { servers: ['nats://nats:4222'], user: 'u', password: 'p' }

/** A pod's folders as the manifests mount them, and an engine that has the bundle. */
async function makePod(workload: ReturnType<typeof nodeWorkload>) {
  const home = await mkdtemp(join(tmpdir(), 'kre-pod-'))
  const folders = Object.fromEntries(
    Object.entries(POD).map(([name, path]) => [name, join(home, path)]),
  ) as PodFolders
  await Promise.all(Object.values(folders).map(async (path) => mkdir(path, { recursive: true })))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`)
    if (request.url === '/archive') response.end(ARCHIVE)
    else if (request.url === '/descriptors') response.end('descriptors')
    else if (request.url === '/moved') response.writeHead(302, { location: '/archive' }).end()
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const mount = async (folder: string, { data = {} }: V1Secret) => {
    for (const [name, value] of Object.entries(data))
      await writeFile(join(folder, name), Buffer.from(value, 'base64'))
  }
  const settings = kubernetesSettings()
  await mount(folders.config, configSecret(workload, settings, {}))
  const bundleAt = async (archiveUrl: string) =>
    mount(
      folders.access,
      accessSecret(
        workload,
        settings,
        {},
        {
          nats: NATS,
          bundle:
            workload.bundleDigest === null
              ? null
              : {
                  archiveUrl: base + archiveUrl,
                  descriptorsUrl: `${base}/descriptors`,
                  token: TOKEN,
                },
        },
      ),
    )
  await bundleAt('/archive')
  return {
    folders,
    asked,
    bundleAt,
    prepare: async () =>
      preparePod({
        folders,
        uid: UID,
        signal: new AbortController().signal,
        tools: {
          async extractBundle(archive, digest, directory) {
            expect(await readFile(archive)).toEqual(ARCHIVE)
            expect(digest).toBe(DIGEST)
            await mkdir(directory)
            await writeFile(join(directory, 'etl.ts'), 'code')
          },
          async writePythonModules(descriptors, directory) {
            await writeFile(join(directory, 'pb2.py'), descriptors)
          },
        },
      }),
    launch: async () =>
      JSON.parse(await readFile(join(folders.launch, 'launch.json'), 'utf8')) as unknown,
    async [Symbol.asyncDispose]() {
      server.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}

describe('a pod of a node', () => {
  test('has its bundle, and a launch file that its process can read', async () => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST, runner: 'python' }))
    await pod.prepare()
    expect(NodeLaunch.parse(await pod.launch())).toMatchObject({
      node: 'etl',
      replica: 1,
      nats: NATS,
      basePath: pod.folders.files,
      workPath: pod.folders.work,
      python: { executable: 'python3', path: [join(pod.folders.bundle, 'python')] },
      config: { variables: { BEHAVIOUR: 'well' } },
    })
    expect(await readFile(join(pod.folders.bundle, 'files', 'etl.ts'), 'utf8')).toBe('code')
    expect(await readFile(join(pod.folders.bundle, 'descriptors.bin'), 'utf8')).toBe('descriptors')
    expect((await stat(join(pod.folders.launch, 'launch.json'))).mode & 0o777).toBe(0o400)
    expect(pod.asked.toSorted()).toEqual([
      `/archive Bearer ${TOKEN}`,
      `/descriptors Bearer ${TOKEN}`,
    ])
  })
  test('can be prepared again, after a container that was killed', async () => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
    await pod.prepare()
    await pod.prepare()
    expect(await pod.launch()).toMatchObject({ node: 'etl', python: null })
  })
  test('does not start with a bundle of another digest', async () => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: 'b'.repeat(64) }))
    await expect(pod.prepare()).rejects.toThrow(/^DIGEST_MISMATCH: /)
    await expect(pod.launch()).rejects.toThrow(/ENOENT/)
  })
  test.each([
    ['/missing', /answers 404/],
    // It could lead to another server, which would get the token.
    ['/moved', /can't be reached: /],
  ])('says why it got nothing from %s', async (path, reason) => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
    await pod.bundleAt(path)
    await expect(pod.prepare()).rejects.toThrow(reason)
  })
})

test('a pod of an entrypoint has a launch file, and asks for nothing', async () => {
  await using pod = await makePod(entrypointWorkload())
  await pod.prepare()
  expect(EntrypointLaunch.parse(await pod.launch())).toMatchObject({
    replica: 1,
    listen: { host: '0.0.0.0', port: 9000 },
  })
  expect(pod.asked).toEqual([])
})
