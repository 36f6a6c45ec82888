import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { EntrypointLaunch, NodeLaunch, type Workload, writeStrippedCode } from '@kre/contracts'
import type { V1PodTemplateSpec, V1Secret } from '@kubernetes/client-node'
import { kubernetesSettings } from '../../testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../../testing/workloads.ts'
import { renderWorkload } from '../manifests/render-workload.ts'
import { accessSecret, valuesSecret, valuesSecretName } from '../manifests/secrets.ts'
import { POD } from '../pod-layout.ts'
import { type PodFolders, preparePod } from './prepare-pod.ts'

const ARCHIVE = Buffer.from('the canonical archive')
const DIGEST = createHash('sha256').update(ARCHIVE).digest('hex')
const UID = '00000002-0000-4000-8000-000000000000'
const NATS = { servers: ['nats://nats:4222'], user: 'u', password: 'p' }
const OWNER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u' }

/** With a path that leads elsewhere, and one that the bundle does not have. */
const CODE = new Map([
  ['etl.ts', 'code          '],
  ['../etl.ts', 'bad'],
  ['other.ts', 'bad'],
])

/** What NATS has of the bundle; parts by the ends of their subjects. */
function partsOf(archive: Buffer): Map<string, Buffer> {
  const half = Math.ceil(archive.length / 2)
  return new Map([
    [
      'contents',
      Buffer.from(JSON.stringify({ archiveParts: 2, descriptorParts: 1, codeParts: 1 })),
    ],
    ['0', archive.subarray(0, half)],
    ['1', archive.subarray(half)],
    ['2', Buffer.from('descriptors')],
    ['3', Buffer.from(writeStrippedCode(CODE))],
  ])
}

/** A pod's folders as the manifests mount them, and a NATS that has the bundle. */
async function makePod(workload: Workload, requirements?: string) {
  const home = await mkdtemp(join(tmpdir(), 'kre-pod-'))
  const folders = Object.fromEntries(
    Object.entries(POD).map(([name, path]) => [name, join(home, path)]),
  ) as PodFolders
  await Promise.all(Object.values(folders).map(async (path) => mkdir(path, { recursive: true })))
  const asked: string[] = []
  const parts = partsOf(ARCHIVE)
  const settings = kubernetesSettings()
  const { deployment } = renderWorkload(workload, settings, OWNER, {
    name: valuesSecretName(workload),
    former: [],
  })
  await mountAll(folders, deployment.spec?.template, [
    valuesSecret(workload, settings, {}),
    accessSecret(workload, settings, {}, [[workload, NATS]]),
  ])
  return {
    folders,
    asked,
    parts,
    prepare: async (env: Record<string, string> = {}, python = 'python3') =>
      preparePod({
        folders,
        uid: UID,
        python,
        env,
        signal: new AbortController().signal,
        async connect(access) {
          expect(access).toMatchObject(NATS)
          return {
            async request(subject) {
              asked.push(subject)
              const data = parts.get(subject.split('.').at(-1) ?? '')
              return data === undefined
                ? { data: new Uint8Array(), status: 404 }
                : { data, status: 0 }
            },
            [Symbol.asyncDispose]: async () => void asked.push('closed'),
          }
        },
        tools: {
          async extractBundle(archive, digest, directory) {
            expect(await readFile(archive)).toEqual(ARCHIVE)
            expect(digest).toBe(DIGEST)
            await mkdir(directory)
            await writeFile(join(directory, 'etl.ts'), 'code as string')
            if (requirements !== undefined)
              await writeFile(join(directory, 'requirements.txt'), requirements)
          },
          async writePythonModules(descriptors, directory) {
            await writeFile(join(directory, 'pb2.py'), descriptors)
          },
        },
      }),
    launch: async () =>
      JSON.parse(await readFile(join(folders.launch, 'launch.json'), 'utf8')) as unknown,
    [Symbol.asyncDispose]: async () => rm(home, { recursive: true, force: true }),
  }
}

/** As the kubelet fills the volumes `config` and `access` of a pod. */
async function mountAll(
  folders: PodFolders,
  template: V1PodTemplateSpec | undefined,
  secrets: readonly (V1Secret | null)[],
): Promise<void> {
  const valueOf = (name: string | undefined, key: string) =>
    Buffer.from(secrets.find((one) => one?.metadata?.name === name)?.data?.[key] ?? '', 'base64')
  const volume = (name: string) => template?.spec?.volumes?.find((one) => one.name === name)
  for (const source of volume('config')?.projected?.sources ?? []) {
    for (const { path, fieldRef } of source.downwardAPI?.items ?? []) {
      const annotation = /\['(.*)'\]/.exec(fieldRef?.fieldPath ?? '')?.[1] ?? ''
      const text = template?.metadata?.annotations?.[annotation] ?? ''
      await writeFile(join(folders.config, path), text)
    }
    for (const { path, key } of source.secret?.items ?? [])
      await writeFile(join(folders.config, path), valueOf(source.secret?.name, key))
  }
  const access = volume('access')?.secret
  for (const { path, key } of access?.items ?? [])
    await writeFile(join(folders.access, path), valueOf(access?.secretName, key))
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
    expect(await readFile(join(pod.folders.bundle, 'files', 'etl.ts'), 'utf8')).toBe(
      'code as string',
    )
    expect(await readFile(join(pod.folders.bundle, 'descriptors.bin'), 'utf8')).toBe('descriptors')
    expect((await stat(join(pod.folders.launch, 'launch.json'))).mode & 0o777).toBe(0o400)
    const start = `$JS.API.DIRECT.GET.KRE_BUNDLES.b.${DIGEST}`
    expect(pod.asked).toEqual([
      ...['contents', '0', '1', '2'].map((part) => `${start}.${part}`),
      'closed',
    ])
  })
  test('can be prepared again, after a container that was killed', async () => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
    await pod.prepare()
    await pod.prepare()
    expect(await pod.launch()).toMatchObject({ node: 'etl', python: null })
  })
  test('does not start with a bundle of another digest', async () => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
    pod.parts.set('1', Buffer.from('other bytes'))
    await expect(pod.prepare()).rejects.toThrow(/^DIGEST_MISMATCH: /)
    await expect(pod.launch()).rejects.toThrow(/ENOENT/)
  })
  test.each([
    ['contents', /is not in NATS: an engine puts it there/],
    ['1', /a part of the bundle is gone/],
  ])('says that %s of its bundle is not there', async (part, reason) => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
    pod.parts.delete(part)
    await expect(pod.prepare()).rejects.toThrow(reason)
  })
  test.each(['', '{', '{"archiveParts":0,"descriptorParts":1}', '{"archiveParts":1e9}', 'null'])(
    'does not believe contents like %j',
    async (contents) => {
      await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
      pod.parts.set('contents', Buffer.from(contents))
      await expect(pod.prepare()).rejects.toThrow(/can not be read/)
    },
  )
  test.each(['', '{', '[]', '{"kind":"else"}'])('says that %j tells nothing', async (text) => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
    await writeFile(join(pod.folders.config, 'launch.json'), text)
    await expect(pod.prepare()).rejects.toThrow(/launch\.json is not what it should be/)
  })
})

describe('an image of another version of KRE than the engine', () => {
  test.each([
    ['before pods had one', undefined],
    ['a later one', 99],
  ])('says so, and reads nothing else: the layout is of %s', async (_of, layout) => {
    await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
    const file = join(pod.folders.config, 'launch.json')
    const template = JSON.parse(await readFile(file, 'utf8')) as object
    await writeFile(file, JSON.stringify({ ...template, layout }))
    await expect(pod.prepare()).rejects.toThrow(
      /^the image is of another version of KRE than the engine: .*images of its own release/,
    )
    expect(pod.asked).toEqual([])
  })
})

describe('a pod of a Python node with requirements', () => {
  const python = nodeWorkload('etl', { bundleDigest: DIGEST, runner: 'python' })
  /** A program that says what it was asked, and fails for packages that an image does not have. */
  const fakePython = async (home: string): Promise<string> => {
    const path = join(home, 'python')
    const script = `#!/bin/sh
echo "$@ index=$PIP_INDEX_URL" >>"${home}/asked"
case "$*" in *--no-index*) grep -q "^in-the-image" requirements.txt && exit 0; echo "ERROR: No matching distribution found" >&2; exit 1;; esac
`
    await writeFile(path, script, { mode: 0o755 })
    return path
  }

  test('uses what its image has, and asks no index', async () => {
    await using pod = await makePod(python, 'in-the-image==1')
    const program = await fakePython(pod.folders.temporary)
    await pod.prepare({ PIP_INDEX_URL: 'http://index' }, program)
    const launch = NodeLaunch.parse(await pod.launch())
    expect(launch.python?.path).toEqual([join(pod.folders.bundle, 'python')])
  })
  test('gets the others from the index that the operator has named', async () => {
    await using pod = await makePod(python, 'elsewhere==1')
    const program = await fakePython(pod.folders.temporary)
    await pod.prepare({ PIP_INDEX_URL: 'http://index' }, program)
    const packages = join(pod.folders.bundle, 'packages')
    expect(NodeLaunch.parse(await pod.launch()).python?.path).toEqual([
      join(pod.folders.bundle, 'python'),
      packages,
    ])
    const asked = await readFile(join(pod.folders.temporary, 'asked'), 'utf8')
    expect(asked).toContain(`--target ${packages}`)
    expect(asked).toContain('index=http://index')
  })
  test('says what to do when nobody has named one', async () => {
    await using pod = await makePod(python, 'elsewhere==1')
    const program = await fakePython(pod.folders.temporary)
    await expect(pod.prepare({}, program)).rejects.toThrow(
      /No matching distribution found[^]*python\.indexUrl/,
    )
  })
})

test('a pod of a node in TypeScript has its code without types, whoever has prepared it before', async () => {
  await using pod = await makePod(nodeWorkload('etl', { bundleDigest: DIGEST }))
  await pod.prepare()
  await writeFile(join(pod.folders.bundle, 'code', 'old.ts.js'), 'old')
  await pod.prepare()
  const { strippedPath = '' } = NodeLaunch.parse(await pod.launch())
  expect(strippedPath).toBe(join(pod.folders.bundle, 'code'))
  expect(await readdir(strippedPath)).toEqual(['etl.ts.js'])
  expect(await readFile(join(strippedPath, 'etl.ts.js'), 'utf8')).toBe('code          ')
})

test('a pod of an entrypoint has a launch file, and asks for nothing', async () => {
  await using pod = await makePod(entrypointWorkload())
  await pod.prepare()
  expect(EntrypointLaunch.parse(await pod.launch())).toMatchObject({
    replica: 1,
    listen: { host: '', port: 9000 },
  })
  expect(pod.asked).toEqual([])
})
