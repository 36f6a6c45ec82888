import { describe, expect, test } from '@jest/globals'
import type { V1Secret } from '@kubernetes/client-node'
import { MiB, NodeLaunch, type NodeSpec, type Workload } from '@kre/contracts'
import { kubernetesSettings } from '../../testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../../testing/workloads.ts'
import { accessSecret, configSecret, variablesEnv } from './secrets.ts'

const settings = kubernetesSettings()
const bundle = { archiveUrl: 'http://kre/a', descriptorsUrl: 'http://kre/d', token: 'bundle-token' }

function withConfig(
  variables: Record<string, string>,
  files: Record<string, string> = {},
): Workload {
  const workload = nodeWorkload('etl')
  return { ...workload, spec: { ...(workload.spec as NodeSpec), config: { variables, files } } }
}

function read(secret: V1Secret, key: string): unknown {
  return JSON.parse(Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8'))
}

describe('the Secret of what a pod runs', () => {
  test('holds all that its launch file needs but for what only the pod knows', () => {
    const template = read(configSecret(nodeWorkload('etl'), settings, {}), 'launch.json') as object
    const own = {
      nats: { servers: [], user: '', password: '' },
      replica: 0,
      basePath: '/',
      descriptorSetPath: '/',
      workPath: '/',
      python: null,
    }
    expect(NodeLaunch.safeParse({ ...template, ...own }).error).toBeUndefined()
  })
  test('can never be changed, and has another name for another spec', () => {
    const [a, again, b] = [1, 1, 2].map((revision) =>
      configSecret(nodeWorkload('etl', { revision }), settings, {}),
    )
    expect(a?.immutable).toBe(true)
    expect(again?.metadata?.name).toBe(a?.metadata?.name)
    expect(b?.metadata?.name).not.toBe(a?.metadata?.name)
  })
  test('has another name when only the place changes', () => {
    const other = kubernetesSettings({ drainMs: 1_000 })
    const name = (of: typeof settings) => configSecret(nodeWorkload('etl'), of, {}).metadata?.name
    expect(name(other)).not.toBe(name(settings))
  })
  test('has no name that tells of a value: the digest of the spec has a key', () => {
    const [a, b] = ['hunter2', 'hunter3'].map((value) =>
      configSecret(withConfig({ PASSWORD: value }, { FILE: value }), settings, {}),
    )
    expect(a?.metadata?.name).toBe(b?.metadata?.name)
    expect(a?.data).not.toEqual(b?.data)
  })
  test('is refused with its size when it is too large', () => {
    const large = withConfig({}, { MODEL: 'x'.repeat(MiB) })
    expect(() => configSecret(large, settings, {})).toThrow(
      /shop\.v1\.main\.etl: .* bytes, and a Secret/,
    )
  })
})

describe('variables of the configuration', () => {
  test('are the environment of nodes, from the Secret', () => {
    expect(variablesEnv(withConfig({ B: '2', A: '1' }), 'config')).toEqual(
      ['A', 'B'].map((name) => ({
        name,
        valueFrom: { secretKeyRef: { name: 'config', key: `variable.${name}` } },
      })),
    )
    expect(variablesEnv(entrypointWorkload(), 'config')).toEqual([])
  })
  test.each([
    'NODE_OPTIONS',
    'LD_PRELOAD',
    'PATH',
    'KRE_LAUNCH_FILE',
    'PYTHONPATH',
    'TMPDIR',
    'a b',
    '1A',
    '',
  ])('that are named %j do not configure the runner', (name) => {
    const workload = withConfig({ [name]: 'x' })
    expect(variablesEnv(workload, 'config')).toEqual([])
    const template = read(configSecret(workload, settings, {}), 'launch.json')
    expect(template).toMatchObject({ config: { variables: { [name]: 'x' } } })
  })
})

describe('the Secret of credentials', () => {
  const nats = {
    servers: ['nats://nats:4222'],
    user: '',
    password: '',
    credentials: { jwt: 'j', seed: 's', expiresUnixMs: 1 },
  }
  test('says where newer ones appear', () => {
    const secret = accessSecret(nodeWorkload('etl'), settings, {}, { nats, bundle })
    expect(read(secret, 'nats.json')).toMatchObject({
      credentials: { jwt: 'j', renewalPath: '/kre/access/credentials.json' },
    })
    expect(read(secret, 'credentials.json')).toEqual(nats.credentials)
    expect(read(secret, 'bundle.json')).toEqual({ ...bundle, digest: 'a'.repeat(64) })
    expect(secret.immutable).toBeUndefined()
  })
  test('of an entrypoint has no right on a bundle', () => {
    const secret = accessSecret(entrypointWorkload(), settings, {}, { nats, bundle: null })
    expect(Object.keys(secret.data ?? {})).toEqual(['nats.json', 'credentials.json'])
  })
})
