/**
 * What cert-manager makes of the chart's Certificates: the files that pods get, tried on a real nats-server and a real
 * engine, and renewed while requests run.
 */
import { randomBytes, X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { makeCluster, type TestCluster } from '@kre/nats-manager/testing'
import { waitUntil } from '@kre/service-kit'
import { lookAtNats } from '@kre/service-kit/nats-tls'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { ask, hasCluster, make, openAsAdmin } from '../cluster/support/test-cluster.ts'
import { connectForeign } from '../support/grpc-client.ts'
import { packChain } from '../support/ledger-bundle.ts'
import { startTestEngine } from '../support/ledger-engine.ts'
import { renewCertificate, startCertManager } from './support/cert-manager.ts'
import { CHART, valuesFile } from './support/chart-files.ts'
import { findCertManager } from './support/find-cert-manager.ts'
import { hasHelm, runHelm } from './support/helm.ts'
import { makeHome, pathOf } from './support/make-home.ts'
import { podsOf } from './support/pods-of.ts'

jest.setTimeout(180_000)
const LONG = { timeoutMs: 90_000 }
const SERVER = '1.3.6.1.5.5.7.3.1'
const CLIENT = '1.3.6.1.5.5.7.3.2'

const folder = hasCluster && hasHelm ? await findCertManager() : null
if (folder === null)
  describe.skip('certificates of the chart', () => test('are not made', () => undefined))
else describe('certificates of the chart', () => byCertManager(folder))

type Files = { 'tls.crt': string; 'tls.key': string; 'ca.crt': string }

function byCertManager(program: string): void {
  const namespace = `kre-chart-${randomBytes(4).toString('hex')}`
  const owned: AsyncDisposable[] = []
  let admin: Cluster
  let dir: string
  beforeAll(async () => {
    admin = openAsAdmin()
    dir = await mkdtemp(join(tmpdir(), 'kre-certificates-'))
    owned.push(
      await startCertManager(admin, program, join(dir, 'cert-manager.log')),
      await makeHome(admin, namespace),
    )
    // An authority of a company, whose own certificate is of one above it that nobody here has.
    await put('Issuer', 'root', { selfSigned: {} })
    await put('Certificate', 'root', authorityOf('root'))
    await put('Issuer', 'above', { ca: { secretName: 'root' } })
    await put('Certificate', 'company', authorityOf('above'))
    const { 'tls.crt': cert, 'tls.key': key } = await filesOf('company')
    await make(admin, pathOf('Secret', namespace, 'company-alone'), {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'company-alone' },
      stringData: { 'tls.crt': cert, 'tls.key': key },
    })
    await put('Issuer', 'company', { ca: { secretName: 'company-alone' } })
    await install()
  })
  afterAll(async () => {
    for (const one of owned.toReversed()) await one[Symbol.asyncDispose]()
    admin[Symbol.dispose]()
    await rm(dir, { recursive: true, force: true })
  })

  const install = async (...more: string[]) => {
    const values = [
      'nats.tls.enabled=true',
      'ingress.enabled=true',
      'certificate.enabled=true,certificate.issuerRef.name=company,certificate.issuerRef.kind=Issuer',
      ...more,
    ]
    const args = ['upgrade', '--install', 'kre', CHART, '--namespace', namespace]
    const given = ['--values', valuesFile('minimal'), ...values.flatMap((one) => ['--set', one])]
    await runHelm([...args, ...given], process.env['KRE_TEST_CLUSTER'])
  }
  const put = async (kind: 'Issuer' | 'Certificate', name: string, spec: object) =>
    make(admin, pathOf(kind, namespace, name), {
      apiVersion: 'cert-manager.io/v1',
      kind,
      metadata: { name },
      spec: kind === 'Issuer' ? spec : { secretName: name, ...spec },
    })

  /** What is in a Secret, once it is whole and `isWanted`. */
  const filesOf = async (
    secret: string,
    isWanted: (files: Files) => boolean = () => true,
  ): Promise<Files> =>
    waitUntil(
      `the Secret ${secret}`,
      async () => {
        const path = pathOf('Secret', namespace, secret)
        const found = (await ask(admin, 'GET', path).catch(() => null)) as { data?: Files } | null
        const text = (name: keyof Files) =>
          Buffer.from(found?.data?.[name] ?? '', 'base64').toString()
        const files = {
          'tls.crt': text('tls.crt'),
          'tls.key': text('tls.key'),
          'ca.crt': text('ca.crt'),
        }
        return files['tls.crt'] !== '' && isWanted(files) ? files : null
      },
      LONG,
    )
  const renew = async (certificate: string) => renewCertificate(admin, namespace, certificate)
  /** As the kubelet does it. */
  const mount = async (files: Files) => {
    for (const [name, text] of Object.entries(files))
      await writeFile(join(dir, name), text, { mode: 0o600 })
  }
  /** By which engines, versions and servers connect, as pods of the chart have it. */
  const hostsInUse = async () => {
    const objects = await Promise.all(
      ['kre-engine', 'kre-nats'].map((name) =>
        ask(admin, 'GET', pathOf('StatefulSet', namespace, name)),
      ),
    )
    const containers = podsOf(objects as Parameters<typeof podsOf>[0]).flatMap(({ spec }) => [
      ...(spec.initContainers ?? []),
      ...spec.containers,
    ])
    const value = (wanted: string) =>
      containers.flatMap(({ env = [] }) => env).find(({ name }) => name === wanted)?.value ?? ''
    const servers = value('KRE_NATS_URL')
      .split(',')
      .map((url) => new URL(url).hostname)
    return { servers, peers: value('KRE_NATS_PEERS').split(',') }
  }
  const serverOf = async (cluster: TestCluster) => {
    owned.push(cluster)
    const [host = ''] = cluster.hosts
    await cluster.start(host)
    return { host, address: `tls://${cluster.servers[0]}` }
  }

  test('of NATS are for all names that anybody connects to, for servers and clients', async () => {
    const files = await filesOf('kre-nats-tls')
    const own = new X509Certificate(files['tls.crt'])
    const authority = new X509Certificate(files['ca.crt'])
    const { servers, peers } = await hostsInUse()
    expect(peers).toHaveLength(3)
    for (const host of [...servers, ...peers]) expect(own.checkHost(host)).toBeDefined()
    expect(own.checkHost(`other.${namespace}.svc`)).toBeUndefined()
    expect(own.keyUsage).toEqual(expect.arrayContaining([SERVER, CLIENT]))
    expect(authority.ca).toBe(true)
    expect(own.ca).toBe(false)
    expect(own.checkIssued(authority) && own.verify(authority.publicKey)).toBe(true)
  })

  test('of the Ingress are for its host and for a server, and say so', async () => {
    const own = new X509Certificate((await filesOf('kre-tls'))['tls.crt'])
    expect(own.checkHost('kre.example.com')).toBeDefined()
    expect(own.keyUsage).toEqual([SERVER])
  })

  test('of an authority that another one vouches for are taken by engines and servers', async () => {
    await put('Certificate', 'other', {
      dnsNames: [`kre-nats.${namespace}.svc`],
      usages: ['server auth', 'client auth'],
      issuerRef: { name: 'company' },
    })
    const files = await filesOf('other')
    expect(
      new X509Certificate(files['ca.crt']).checkIssued(new X509Certificate(files['ca.crt'])),
    ).toBe(false)
    await mount(files)
    const { address } = await serverOf(await makeCluster(1, 80, { tlsDir: dir }))
    const tls = { ca: files['ca.crt'], serverName: `kre-nats.${namespace}.svc` }
    const look = async () => lookAtNats(address, tls).catch(() => null)
    expect(await waitUntil('the server', look)).toMatchObject({ tls: { protocol: 'TLSv1.3' } })
  })

  test('are renewed, and their authority is, and another one takes its place, while requests run, and none of these fails', async () => {
    const before = await filesOf('kre-nats-tls')
    await mount(before)
    const cluster = await makeCluster(1, 81, { tlsDir: dir })
    const { host, address } = await serverOf(cluster)
    const keys = join(dir, 'keys.json')
    await writeFile(keys, JSON.stringify(cluster.keys), { mode: 0o600 })
    const [serverName = ''] = (await hostsInUse()).servers
    const engine = await startTestEngine({
      KRE_NATS_URL: address,
      KRE_NATS_KEYS_FILE: keys,
      KRE_NATS_TLS_CA_FILE: join(dir, 'ca.crt'),
      KRE_NATS_TLS_SERVER_NAME: serverName,
      KRE_NATS_RELOAD_MS: '10000',
    })
    owned.push(engine)
    await engine.createRuntime('shop')
    expect((await engine.upload('shop', await packChain('v1'))).status).toBe(201)
    await engine.operate('start', 'shop', 'v1')
    const { entrypointAddress } = await engine.reach('shop', 'v1', 'STARTED', LONG.timeoutMs)
    using client = await connectForeign(entrypointAddress, 'faults.Entrypoint', 'Run')
    const answer = async () => client.call({ id: '1', command: '', trail: '' })
    const shown = async (ca: string) => (await lookAtNats(address, { ca, serverName })).tls?.validTo
    const first = await shown(before['ca.crt'])

    await renew('kre-nats-authority')
    const { 'tls.crt': authority } = await filesOf(
      'kre-nats-authority',
      (files) => files['tls.crt'] !== before['ca.crt'],
    )
    await renew('kre-nats')
    const after = await filesOf('kre-nats-tls', (files) => files['ca.crt'] === authority)
    expect(after['tls.key']).not.toBe(before['tls.key'])
    // Who has the authority of before alone finds both certificates right, and who has the next one too.
    expect(await shown(after['ca.crt'])).toBe(first)
    await mount(after)
    await waitUntil(
      'the newer one',
      async () => {
        expect(await answer()).toMatchObject({ trail: 'abc' })
        return (await shown(before['ca.crt'])) !== first
      },
      LONG,
    )
    // All processes connect anew.
    await cluster.stop(host)
    await cluster.start(host)
    await waitUntil('an answer', async () => answer().catch(() => null), LONG)

    // Another authority, whose certificate comes with it: nobody can know it before.
    await install('nats.tls.issuerRef.name=company')
    const other = await filesOf('kre-nats-tls', (files) => files['ca.crt'] !== after['ca.crt'])
    await mount(other)
    await waitUntil(
      'a certificate of the other authority',
      async () => {
        expect(await answer()).toMatchObject({ trail: 'abc' })
        return shown(other['ca.crt']).catch(() => null)
      },
      LONG,
    )
    await cluster.stop(host)
    await cluster.start(host)
    const again = async () => answer().catch(() => null)
    expect(await waitUntil('an answer', again, LONG)).toMatchObject({ trail: 'abc' })
  })

  test('are made for the Ingress of a published runtime, by its annotation', async () => {
    await make(admin, pathOf('Ingress', namespace, 'shop'), {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'shop', annotations: { 'cert-manager.io/issuer': 'company' } },
      spec: {
        tls: [{ hosts: ['shop.kre.example.com'], secretName: 'shop-tls' }],
        rules: [{ host: 'shop.kre.example.com' }],
      },
    })
    const own = new X509Certificate((await filesOf('shop-tls'))['tls.crt'])
    expect(own.checkHost('shop.kre.example.com')).toBeDefined()
  })
}

/** An authority that can issue certificates for a while. */
function authorityOf(issuer: string): object {
  return {
    isCA: true,
    commonName: `authority of ${issuer}`,
    privateKey: { algorithm: 'ECDSA', size: 256 },
    issuerRef: { name: issuer },
  }
}
