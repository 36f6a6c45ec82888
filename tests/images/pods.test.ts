/** A whole version in pods: its manifests, its bundle out of NATS, and the images, up to the answer of a call. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { ingestBundle } from '@kre/bundle'
import { resolveRunner, type Workload } from '@kre/contracts'
import { compile } from '@kre/converger'
import { openBundleShelf } from '@kre/nats-manager'
import { waitUntil } from '@kre/service-kit'
import { renderWorkload } from '../../k8s-manager/src/kubernetes/manifests/render-workload.ts'
import {
  accessSecret,
  valuesSecret,
  valuesSecretName,
} from '../../k8s-manager/src/kubernetes/manifests/secrets.ts'
import { kubernetesSettings } from '../../k8s-manager/src/testing/kubernetes-settings.ts'
import { startIsolatedNats } from '../../nats-manager/src/testing/start-isolated-nats.ts'
import { connectRaw, frame } from '../../runners/entrypoint/src/testing/raw-client.ts'
import { writeMixedBundle } from '../support/mixed-bundle.ts'
import { startPod, type RunningPod } from './pod.ts'
import { imageOf, podman, statusOf, whyNoImages } from './podman.ts'

jest.setTimeout(240_000)

const RUNTIME = 'lab'
const OWNER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u' }
const LONG = { timeoutMs: 60_000 }
const why = whyNoImages()

if (why !== null) describe.skip(`pods (skipped: ${why})`, () => test('are tried', () => undefined))
else
  test('a version of a node in TypeScript and one in Python answers from its pods', async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'kre-image-version-'))
    await using nats = await startIsolatedNats()
    await using pods = new AsyncDisposableStack()
    pods.defer(async () => rm(scratch, { recursive: true, force: true }))
    const bundle = await packBundle(scratch)
    const version = {
      version: bundle.facts.manifest.version,
      versionId: 'id',
      bundleDigest: bundle.digest,
      facts: bundle.facts,
    }
    await nats.manager.converge(RUNTIME, [{ ...version, wanted: true }])
    const shelf = openBundleShelf(
      nats.engine,
      {
        archive: async () => bundle.file,
        descriptorSet: async () => Buffer.from(bundle.facts.descriptorSet, 'base64'),
      },
      { replicas: 1, now: () => performance.now() },
    )
    await shelf.provide(bundle.digest)
    const started: RunningPod[] = []
    for (const workload of workloadsOf(bundle)) {
      const access = await nats.accounts.access(workload)
      const pod = await startPod(workload, await partsOf(workload, access))
      pods.use(pod)
      started.push(pod)
    }
    const entrypoint = started.find(({ workload }) => workload.spec.kind === 'entrypoint')
    const address = `127.0.0.1:${entrypoint?.port}`
    const ask = async () => {
      await using client = await connectRaw(address)
      return await client.call('/hello.Entrypoint/Greet', frame(Buffer.from('\x0a\x06 Ada  ')))
    }
    let last: unknown = null
    const answer = await waitUntil(
      'an answer',
      async () => {
        const found = await ask().catch((error: unknown) => ({
          status: -1,
          message: String(error),
          payload: null,
        }))
        last = JSON.stringify(found)
        return found.status === 0 ? found.payload : null
      },
      LONG,
    ).catch((error: unknown) => {
      const said = started.map((pod) => `${pod.workload.id}: ${pod.said()}`)
      throw new Error(`${String(error)}; last: ${String(last)}; ${said.join('; ')}`)
    })
    expect(answer?.toString()).toBe('\x0a\x0bHello, Ada!')
    for (const { container } of started)
      expect(await statusOf(container)).toMatchObject({ CapEff: '0000000000000000' })
  })

/** The templates of krectl: one node of each. */
async function packBundle(scratch: string) {
  const directory = join(scratch, 'bundle')
  await writeMixedBundle(directory)
  const result = await ingestBundle({ directory }, { scratchDir: join(scratch, 'work') })
  if (!result.ok) throw new Error(JSON.stringify(result.issues))
  return result
}

function workloadsOf({ digest, facts }: Awaited<ReturnType<typeof packBundle>>): Workload[] {
  const { version } = facts.manifest
  const { workloads, failures } = compile(
    RUNTIME,
    {
      runtimeId: RUNTIME,
      generation: 1,
      running: [{ version, configGeneration: 0 }],
      published: null,
      cause: { operation: 'start', version, by: 'test', comment: '', at: new Date(0) },
    },
    [{ name: version, id: 'id', bundleDigest: digest, facts, config: [] }],
    {
      requestTimeoutMs: 10_000,
      payloadBytesMax: 4_000_000,
      entrypointWorkers: 1,
      configKey: Buffer.alloc(32),
      fuse: false,
      corsOrigins: [],
      reflection: true,
      memoryBytesMax: null,
      resolveRunner: (image, src) => {
        const resolved = resolveRunner(image, src)
        return 'runner' in resolved ? resolved.runner : null
      },
    },
  )
  expect(failures).toEqual({})
  return workloads
}

async function partsOf(workload: Workload, access: Parameters<typeof accessSecret>[3][number][1]) {
  const settings = kubernetesSettings({ images: await imagesHere() })
  const values = { name: valuesSecretName(workload), former: [] }
  const { deployment } = renderWorkload(workload, settings, OWNER, values)
  const secrets = [
    valuesSecret(workload, settings, {}),
    accessSecret(workload, settings, {}, [[workload, access]]),
  ]
  return { deployment, secrets }
}

/** By their digests, as manifests have to name them. */
async function imagesHere() {
  const digestOf = async (name: string) =>
    `${imageOf(name).replace(/:test$/, '')}@${await podman('image', 'inspect', '--format', '{{.Digest}}', imageOf(name))}`
  return {
    typescript: await digestOf('runner-typescript'),
    python: await digestOf('runner-python'),
    onnx: await digestOf('runner-onnx'),
    entrypoint: await digestOf('entrypoint'),
  }
}
