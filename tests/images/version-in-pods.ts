/** A version with a node in TypeScript and one in Python, ready to be started in pods: its bundle is in NATS. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ingestBundle, stripBundle } from '@kre/bundle'
import { resolveRunner, type Workload, writeStrippedCode } from '@kre/contracts'
import { compile } from '@kre/converger'
import { openBundleShelf } from '@kre/nats-manager'
import { renderWorkload } from '../../k8s-manager/src/kubernetes/manifests/render-workload.ts'
import {
  accessSecret,
  valuesSecret,
  valuesSecretName,
} from '../../k8s-manager/src/kubernetes/manifests/secrets.ts'
import { kubernetesSettings } from '../../k8s-manager/src/testing/kubernetes-settings.ts'
import { startIsolatedNats } from '../../nats-manager/src/testing/start-isolated-nats.ts'
import { writeMixedBundle } from '../support/mixed-bundle.ts'
import type { PodParts } from './pod.ts'
import { imageOf, podman } from './podman.ts'

const RUNTIME = 'lab'
const OWNER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u' }

export type VersionInPods = AsyncDisposable & {
  /** Nodes first, the entrypoint last. */
  readonly workloads: readonly Workload[]
  /** What the engine would apply for one, with new credentials. */
  partsOf(workload: Workload): Promise<PodParts>
}

/** @param tag of the images. */
export async function openVersionInPods(tag = 'test'): Promise<VersionInPods> {
  const stack = new AsyncDisposableStack()
  try {
    const scratch = await mkdtemp(join(tmpdir(), 'kre-image-version-'))
    stack.defer(async () => rm(scratch, { recursive: true, force: true }))
    const nats = stack.use(await startIsolatedNats())
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
        strippedCode: async () =>
          writeStrippedCode(await stripBundle(bundle.file, bundle.facts.files)),
      },
      { replicas: 1, now: () => performance.now() },
    )
    await shelf.provide(bundle.digest)
    const images = await imagesHere(tag)
    const isLast = ({ spec }: Workload) => Number(spec.kind === 'entrypoint')
    return {
      workloads: workloadsOf(bundle).toSorted((a, b) => isLast(a) - isLast(b)),
      partsOf: async (workload) => podParts(workload, await nats.accounts.access(workload), images),
      [Symbol.asyncDispose]: async () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

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
  if (Object.keys(failures).length > 0) throw new Error(JSON.stringify(failures))
  return workloads
}

function podParts(
  workload: Workload,
  access: Parameters<typeof accessSecret>[3][number][1],
  images: Awaited<ReturnType<typeof imagesHere>>,
): PodParts {
  const settings = kubernetesSettings({ images })
  const values = { name: valuesSecretName(workload), former: [] }
  const { deployment } = renderWorkload(workload, settings, OWNER, values)
  const secrets = [
    valuesSecret(workload, settings, {}),
    accessSecret(workload, settings, {}, [[workload, access]]),
  ]
  return { deployment, secrets }
}

/** By their digests, as manifests have to name them. */
async function imagesHere(tag: string) {
  const digestOf = async (name: string) => {
    const image = imageOf(name).replace(/:test$/, '')
    const format = ['--format', '{{.Digest}}']
    return `${image}@${await podman('image', 'inspect', ...format, `${image}:${tag}`)}`
  }
  return {
    typescript: await digestOf('runner-typescript'),
    python: await digestOf('runner-python'),
    onnx: await digestOf('runner-onnx'),
    entrypoint: await digestOf('entrypoint'),
  }
}
