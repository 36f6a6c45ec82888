/**
 * What Helm makes of the chart, without a cluster. `KRE_WRITE_DOCS=true ./krectl.sh test --cluster tests/chart/render`
 * writes the golden files anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { stringify } from 'yaml'
import { parseConfig } from '../../engine/all-in-one/src/config.ts'
import { chartValues } from '../../engine/krectl/src/minikube/chart-values.ts'
import { KubernetesSettings } from '../../k8s-manager/src/kubernetes/settings.ts'
import { CHART, VARIANTS, valuesFile, type Variant } from './support/chart-files.ts'
import { hasHelm, type Manifest, parseManifests, render, runHelm } from './support/helm.ts'
import { podsOf } from './support/pods-of.ts'

jest.setTimeout(60_000)

if (!hasHelm) describe.skip('the chart', () => test('is not rendered', () => undefined))
else {
  describe.each(VARIANTS)('the chart with %s values', ofVariant)
  describe('the chart', ofChart)
}

function ofVariant(variant: Variant): void {
  let objects: Manifest[] = []
  const objectsOf = async () =>
    objects.length > 0 ? objects : (objects = await render(variant, 'kre'))

  test('passes lint', async () => {
    const said = await runHelm(['lint', '--strict', CHART, '--values', valuesFile(variant)])
    expect(said).toContain('0 chart(s) failed')
  })

  test('makes what the golden file shows', async () => {
    const path = join(import.meta.dirname, 'fixtures', `${variant}.yaml`)
    const text = (await objectsOf()).map(masked).map((one) => stringify(one, { lineWidth: 120 }))
    if (process.env['KRE_WRITE_DOCS'] === 'true') writeFileSync(path, text.join('---\n'))
    expect(text.join('---\n')).toBe(readFileSync(path, 'utf8'))
  })

  test('puts everything into the namespaces that it is given', async () => {
    const versions = settingsIn(await objectsOf()).namespace
    for (const { kind, metadata } of await objectsOf())
      expect([kind, metadata.namespace]).toEqual([
        kind,
        kind === 'Role' || kind === 'RoleBinding' ? versions : 'kre',
      ])
  })

  test('says of every object whose it is', async () => {
    for (const { metadata } of await objectsOf())
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/part-of': 'kre',
        'app.kubernetes.io/instance': 'kre',
        'app.kubernetes.io/managed-by': 'Helm',
        ...(variant === 'minimal' ? {} : { team: 'platform' }),
      })
  })

  test('makes pods that are closed, bounded, probed, and without a token but for the engine', async () => {
    const pods = podsOf(await objectsOf())
    expect(pods.length).toBeGreaterThan(1)
    for (const { name, spec } of pods) {
      expect(spec).toMatchObject({
        enableServiceLinks: false,
        automountServiceAccountToken: name.endsWith('-engine'),
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      })
      expect(spec['hostNetwork'] ?? spec['hostPID'] ?? spec['hostIPC']).toBeUndefined()
      for (const container of [...(spec.initContainers ?? []), ...spec.containers])
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: {
            requests: { cpu: expect.any(String), memory: expect.any(String) },
            limits: { memory: expect.any(String) },
          },
        })
      if (spec.restartPolicy === 'Never') continue
      for (const container of spec.containers)
        for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
          expect(container[probe]).toBeDefined()
    }
  })

  test('gives the engine settings and variables that it takes', async () => {
    const settings = settingsIn(await objectsOf())
    expect(settings.images.python).toMatch(/@sha256:/)
    const engine = podsOf(await objectsOf()).find(({ name }) => name.endsWith('-engine'))
    const env = engine?.spec.containers[0]?.env ?? []
    const given = Object.fromEntries(env.map(({ name, value }) => [name, value ?? 'of-a-secret']))
    const uri = { KRE_MONGODB_URI: 'mongodb://database/' }
    expect(parseConfig({ ...given, ...uri })).toMatchObject({
      dataDir: '/var/lib/kre/engine',
      mongodb: { uri: 'mongodb://database/' },
      adminPort: 4000,
      payloadBytesMax: 4 * 1024 * 1024,
      signIn: { publicUrl: expect.stringMatching(/^https:\/\/kre\.example\.com/) },
    })
  })
}

function ofChart(): void {
  test('says all that is missing at once, and how to give it', async () => {
    const said = await refusal(['template', 'kre', CHART])
    expect(said).toContain('need 6 more thing(s)')
    expect(said).toContain('config.admin.frontendBaseURL: set where browsers reach the engine')
    expect(said).toContain('config.mongodb.connectionString.secretName: name the Secret')
    expect(said).toContain('versions.images.onnx.digest: name the image by its digest')
  })

  test.each([
    ['engine.replica=3', 'replica'],
    ['commonLabels.app\\.kubernetes\\.io/name=mine', 'app.kubernetes.io/name is set by the chart'],
    ['nats.replicas=2', 'nats.replicas'],
    ['nats.enabled=false', 'nats.external.servers'],
    ['nats.enabled=false,nats.tls.enabled=true', 'nats.tls.enabled: is about the chart'],
    ['config.smtp.enabled=true', 'config.smtp.host'],
    ['ingress.enabled=true', 'ingress.tls.secretName'],
    [
      'ingress.enabled=true,config.admin.frontendBaseURL=https://kre.example.com/engine',
      "an Ingress can't cut its path off",
    ],
    ['versions.publish.mode=ingress', 'config.baseDomainName'],
    ['serviceAccount.create=false', 'thing(s):\n  - serviceAccount.name: name the account'],
    ['serviceMonitor.enabled=true', 'serviceMonitor.token.secretName'],
  ])('refuses %s', async (value, why) => {
    const args = ['template', 'kre', CHART, '--values', valuesFile('minimal'), '--set', value]
    expect(await refusal(args)).toContain(why)
  })

  test('refuses the name of a release that no Service can have, unless it gets another one', async () => {
    const args = ['template', '1.kre', CHART, '--values', valuesFile('minimal')]
    expect(await refusal(args)).toContain('fullnameOverride: "1.kre" can')
    expect(await runHelm([...args, '--set', 'fullnameOverride=kre'])).toContain('name: kre-engine')
  })

  test.each(['minimal', 'full', 'production'] as const)(
    'takes names that YAML has for numbers, and leaves them names: %s',
    async (variant) => {
      const names = {
        fullnameOverride: 'kre',
        nameOverride: '1e3',
        'versions.namespace': '2026',
        'serviceAccount.name': '2027',
        'config.mongodb.connectionString.secretName': '2028',
        'config.keys.existingSecret': '2029',
        'imagePullSecrets[0]': '2030',
        ...(variant === 'full' ? {} : { 'ingress.tls.secretName': '2031' }),
      }
      const set = Object.entries(names).flatMap(([path, name]) => [
        '--set-string',
        `${path}=${name}`,
      ])
      const files = ['--values', valuesFile(variant), ...set]
      const text = await runHelm(['template', '2024', CHART, '--namespace', '2025', ...files])
      expect(parseManifests(text).flatMap((object) => namesThatAreNone(object))).toEqual([])
      expect(text).toContain('namespace: "2026"')
    },
  )

  test('gives the Role what publishing takes, in the namespace of versions alone', async () => {
    const by = ['--set', 'versions.publish.mode=ingress,config.baseDomainName=example.com']
    const role = (await render('minimal', 'kre', [...by, '--set', 'versions.namespace=apps'])).find(
      ({ kind }) => kind === 'Role',
    )
    expect(role?.metadata.namespace).toBe('apps')
    expect(JSON.stringify(role?.rules)).toContain('"ingresses"')
  })

  test('gives NATS a certificate for all names of its servers, and the engine the authority alone', async () => {
    const tls = ['--set', 'nats.tls.enabled=true']
    const kinds = (objects: readonly Manifest[]) =>
      objects.flatMap(({ kind }) => (/^(?:Certificate|Issuer)$/.test(kind) ? kind : [])).toSorted()
    const objects = await render('minimal', 'apps', tls)
    expect(kinds(objects)).toEqual(['Certificate', 'Certificate', 'Issuer', 'Issuer'])
    const certificate = objects.find(
      ({ kind, metadata }) => kind === 'Certificate' && metadata.name === 'kre-nats',
    )
    const { dnsNames } = (certificate?.spec ?? {}) as { dnsNames: string[] }
    const [engine, nats] = ['kre-engine', 'kre-nats'].map((name) =>
      podsOf(objects).find((pod) => pod.name === name),
    )
    const server = nats?.spec.initContainers?.[0]?.env ?? []
    const peers = server.find(({ name }) => name === 'KRE_NATS_PEERS')?.value?.split(',') ?? []
    expect(peers).toHaveLength(3)
    for (const peer of peers) expect(dnsNames).toContain(peer.replace(/^[^.]+/, '*'))
    const url = engine?.spec.containers[0]?.env?.find(({ name }) => name === 'KRE_NATS_URL')?.value
    expect(dnsNames.map((name) => `tls://${name}:4222`)).toContain(url)
    const volumes = JSON.stringify(engine?.spec['volumes'])
    expect(volumes).toContain('"ca.crt"')
    expect(volumes).not.toContain('tls.key')
    // Of somebody else: by an issuer, or as a Secret.
    const issuer = await render('minimal', 'apps', [...tls, '--set', 'nats.tls.issuerRef.name=ca'])
    expect(kinds(issuer)).toEqual(['Certificate'])
    const secret = await render('minimal', 'apps', [...tls, '--set', 'nats.tls.secretName=own'])
    expect(kinds(secret)).toEqual([])
    expect(JSON.stringify(podsOf(secret).map(({ spec }) => spec['volumes']))).toContain('"own"')
  })

  test('takes the values of krectl deploy', async () => {
    const names = ['engine', 'entrypoint', 'runner-typescript', 'runner-python', 'runner-onnx']
    const images = Object.fromEntries(
      names.map((name) => [name, `localhost:5000/kre/${name}@sha256:${'0'.repeat(64)}`]),
    )
    const home = await mkdtemp(join(tmpdir(), 'kre-values-'))
    for (const adminUrl of ['http://localhost:4000', 'http://admin.kre.local']) {
      const values = { release: 'kre-local', images, adminUrl, mongodbSecret: 'kre-mongodb' }
      await writeFile(join(home, 'values.json'), JSON.stringify(chartValues(values)))
      const own = ['--values', join(home, 'values.json')]
      const objects = await render('minimal', 'kre', own)
      expect(objects.map(({ metadata }) => metadata.name)).toContain('kre-local-engine')
      expect(objects.some(({ kind }) => kind === 'Ingress')).toBe(adminUrl.includes('kre.local'))
      expect(settingsIn(objects).images.onnx).toContain('localhost:5000/kre/runner-onnx@')
    }
    await rm(home, { recursive: true })
  })

  test('cuts the path of the address off where a Gateway leads to it', async () => {
    const address = 'config.admin.frontendBaseURL=https://kre.example.com:8443/engine/'
    const gateway = 'gateway.enabled=true,gateway.parentRefs[0].name=public'
    const objects = await render('minimal', 'kre', ['--set', `${address},${gateway}`])
    expect(objects.find(({ kind }) => kind === 'HTTPRoute')?.spec).toMatchObject({
      hostnames: ['kre.example.com'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/engine' } }],
          filters: [{ urlRewrite: { path: { replacePrefixMatch: '/' } } }],
        },
      ],
    })
  })
}

function settingsIn(objects: readonly Manifest[]): KubernetesSettings {
  const map = objects.find(({ kind, data }) => kind === 'ConfigMap' && data?.['kubernetes.json'])
  return KubernetesSettings.parse(JSON.parse(map?.data?.['kubernetes.json'] ?? '{}'))
}

const NAMES = new Set(['name', 'namespace', 'secretName', 'serviceAccountName', 'serviceName'])
const LABELS = new Set(['labels', 'matchLabels', 'selector', 'annotations', 'nodeSelector'])

/** Paths of names and labels that are no text, which the API server would refuse. */
function namesThatAreNone(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]: [string, unknown]) => {
    const here = `${path}.${key}`
    const isName = NAMES.has(key) || LABELS.has(path.split('.').at(-1) ?? '')
    if (isName && typeof one !== 'object' && typeof one !== 'string') return [here]
    return namesThatAreNone(one, here)
  })
}

/** Random values, which no golden file can show, and digests of them. */
function masked(object: Manifest): Manifest {
  if (object.kind !== 'Secret') return object
  const names = Object.keys(object.data ?? {})
  return { ...object, data: Object.fromEntries(names.map((name) => [name, 'random'])) }
}

async function refusal(args: readonly string[]): Promise<string> {
  return runHelm(args).then(
    (text) => Promise.reject(new Error(`Helm took it:\n${text}`)),
    (error: Error) => error.message,
  )
}
