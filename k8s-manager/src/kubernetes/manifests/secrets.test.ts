import { describe, expect, test } from '@jest/globals'
import type { V1Secret } from '@kubernetes/client-node'
import { EntrypointLaunch, MiB, NodeLaunch, type NodeSpec, type Workload } from '@kre/contracts'
import { kubernetesSettings } from '../../testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../../testing/workloads.ts'
import { launchTemplate } from './launch-template.ts'
import { accessSecret, valuesSecret, valuesSecretName, variablesEnv } from './secrets.ts'

const settings = kubernetesSettings()

function withConfig(
  variables: Record<string, string>,
  files: Record<string, string> = {},
  overrides: Partial<Workload> = {},
): Workload {
  const workload = nodeWorkload('etl', overrides)
  return { ...workload, spec: { ...(workload.spec as NodeSpec), config: { variables, files } } }
}

function read(secret: V1Secret | null, key: string): unknown {
  return JSON.parse(Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8'))
}

describe('what a pod is told', () => {
  const nats = { servers: [], user: '', password: '' }
  test('is all that its launch file needs but for what only the pod knows', () => {
    const places = { basePath: '/', descriptorSetPath: '/', workPath: '/', python: null }
    const node = launchTemplate(nodeWorkload('etl'), settings)
    const launch = { ...node, ...places, nats, replica: 0 }
    expect(NodeLaunch.safeParse(launch).error).toBeUndefined()
    const entrypoint = { ...launchTemplate(entrypointWorkload(), settings), nats, replica: 0 }
    expect(EntrypointLaunch.safeParse(entrypoint).error).toBeUndefined()
  })
  test('has names of the configuration, and no value', () => {
    const template = launchTemplate(withConfig({ A: 'secret' }, { F: 'secret' }), settings)
    expect(template).toMatchObject({ config: { variables: { A: '' }, files: { F: '' } } })
    expect(JSON.stringify(template)).not.toContain('secret')
  })
})

describe('the Secret of values', () => {
  test('holds the configuration, and can never be changed', () => {
    const secret = valuesSecret(withConfig({ A: '1' }, { F: 'content' }), settings, {})
    expect(secret?.immutable).toBe(true)
    expect(read(secret, 'values.json')).toEqual({ variables: { A: '1' }, files: { F: 'content' } })
  })
  test('is one for all workloads with the same values, and another for others', () => {
    const name = (node: string, configHash: string) =>
      valuesSecretName(nodeWorkload(node, { configHash }))
    expect(name('etl', 'x')).toBe(name('model', 'x'))
    expect(name('etl', 'x')).not.toBe(name('etl', 'y'))
  })
  test('is one of its own where nobody says which values are the same', () => {
    const [a, again, b] = [1, 1, 2].map((revision) =>
      valuesSecretName(nodeWorkload('etl', { revision })),
    )
    expect(again).toBe(a)
    expect(b).not.toBe(a)
    expect(valuesSecretName(nodeWorkload('model'))).not.toBe(a)
  })
  test('is the same whatever the order of its values', () => {
    const [a, b] = [
      { A: '1', B: '2' },
      { B: '2', A: '1' },
    ].map((values) => valuesSecret(withConfig(values, values), settings, {}))
    expect(JSON.stringify(a?.data)).toBe(JSON.stringify(b?.data))
  })
  test('is not there for a workload without values', () => {
    expect(valuesSecret(withConfig({}), settings, {})).toBeNull()
    expect(valuesSecret(entrypointWorkload(), settings, {})).toBeNull()
  })
  test('has no name that tells of a value: the digests have a key', () => {
    const [a, b] = ['hunter2', 'hunter3'].map((value) =>
      valuesSecret(withConfig({ PASSWORD: value }, { FILE: value }), settings, {}),
    )
    expect(a?.metadata?.name).toBe(b?.metadata?.name)
    expect(a?.data).not.toEqual(b?.data)
  })
  test('is refused with its size when it is too large', () => {
    const large = withConfig({}, { MODEL: 'x'.repeat(MiB) })
    expect(() => valuesSecret(large, settings, {})).toThrow(
      /shop-v1-[0-9a-f]{8}: \d+ bytes are to be in one Secret/,
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
    expect(read(valuesSecret(workload, settings, {}), 'values.json')).toMatchObject({
      variables: { [name]: 'x' },
    })
  })
})

describe('the Secret of credentials', () => {
  const nats = {
    servers: ['nats://nats:4222'],
    user: '',
    password: '',
    credentials: { jwt: 'j', seed: 's', expiresUnixMs: 1 },
  }
  const { credentials, ...address } = nats
  const of = { runtimeId: 'shop', version: 'v1' }
  test('has those of each workload, and says where newer ones appear', () => {
    const etl = nodeWorkload('etl')
    const model = nodeWorkload('model')
    const secret = accessSecret(of, settings, {}, [
      [etl, nats],
      [model, address],
    ])
    const [key = ''] = Object.keys(secret.data ?? {})
    const start = key.replace('.nats.json', '')
    expect(start).toMatch(/^shop-v1-main-etl-[0-9a-f]{8}$/)
    expect(read(secret, key)).toEqual(address)
    expect(read(secret, `${start}.credentials.json`)).toEqual({
      ...credentials,
      renewalPath: '/kre/access/credentials.json',
    })
    // Certificates are renewed with them.
    const tls = { ca: 'ca', cert: 'cert', key: 'key' }
    const secure = accessSecret(of, settings, {}, [[etl, { ...nats, tls }]])
    expect(read(secure, key)).toEqual(address)
    expect(read(secure, `${start}.credentials.json`)).toMatchObject({ ...credentials, tls })
    // A server without accounts has none.
    const others = Object.keys(secret.data ?? {}).filter((name) => name.includes('model'))
    expect(read(secret, others[1] ?? '')).toBeNull()
    expect(secret.immutable).toBeUndefined()
  })
})
