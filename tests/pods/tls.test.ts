/**
 * TLS in real pods: cert-manager makes the certificates of three servers of NATS, the kubelet mounts them, names are asked
 * of the cluster's DNS, and a renewal gets from one end to the other while requests run.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { lookAtNats } from '@kre/service-kit/nats-tls'
import { renewCertificate, startCertManager } from '../chart/support/cert-manager.ts'
import { findCertManager } from '../chart/support/find-cert-manager.ts'
import { openAsAdmin } from '../cluster/support/test-cluster.ts'
import { chainFiles, writeFiles } from '../support/ledger-bundle.ts'
import { type Installation, installKre } from './support/install-kre.ts'
import { podsOf, readSecret } from './support/pods.ts'
import { underLoad } from './support/under-load.ts'
import { whyNoPods } from './support/why-no-pods.ts'

jest.setTimeout(420_000)

/** The kubelet looks for newer Secrets once a minute. */
const LONG = { timeoutMs: 240_000, everyMs: 500 }
const program = whyNoPods() === null ? await findCertManager() : null

if (program === null) describe.skip('TLS in pods', () => test('is not tried', () => undefined))
else describe('TLS in pods', () => tlsInPods(program))

function tlsInPods(certManager: string): void {
  const owned = new AsyncDisposableStack()
  let kre: Installation
  let address: string
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kre-tls-'))
    owned.defer(async () => rm(folder, { recursive: true, force: true }))
    const admin = openAsAdmin()
    owned.defer(() => admin[Symbol.dispose]())
    owned.use(await startCertManager(admin, certManager, join(folder, 'cert-manager.log')))
    kre = await installKre({
      engines: 1,
      natsServers: 3,
      values: ['nats.tls.enabled=true'],
      // The last one counts: the chart's own is an hour.
      environment: { KRE_NATS_RELOAD_MS: '10000' },
    })
    owned.use(kre)
    const bundle = join(folder, 'v1')
    await writeFiles(bundle, chainFiles('v1', { a: {}, b: {} }))
    await kre.krectl.json('runtime', 'create', 'shop')
    await kre.krectl.json('version', 'create', '-r', 'shop', bundle)
    await kre.krectl.json('version', 'start', '-r', 'shop', 'v1')
    await kre.krectl.json('version', 'publish', '-r', 'shop', 'v1')
    const shown = await kre.krectl.json<{ entrypointAddress: string }>('runtime', 'show', 'shop')
    address = await kre.addressOf(shown.entrypointAddress.split('.')[0] ?? '')
  })
  afterAll(async () => owned.disposeAsync())

  const servers = async () => {
    const pods = await podsOf(kre.admin, kre.namespace, 'app.kubernetes.io/component=nats')
    return pods.map(({ status }) => status?.podIP ?? '')
  }
  const monitor = async <T>(server: string, page: string) =>
    (await fetch(`http://${server}:8222/${page}`)).json() as Promise<T>

  test('is spoken by everybody, and the servers find each other', async () => {
    const tally = await underLoad(address, 'ab', async () => undefined)
    expect(tally).toMatchObject({ failed: {}, wrong: [], silent: 0 })
    const names: string[] = []
    for (const server of await servers()) {
      const { connections } = await monitor<{
        connections: { name: string; tls_version?: string }[]
      }>(server, 'connz')
      names.push(...connections.map(({ name }) => name))
      expect(connections.filter(({ tls_version }) => tls_version !== '1.3')).toEqual([])
      const { routes } = await monitor<{ routes: { remote_name: string }[] }>(server, 'routez')
      expect(new Set(routes.map(({ remote_name }) => remote_name)).size).toBe(2)
    }
    expect(names).toEqual(expect.arrayContaining(['kre-engine', 'kre-accounts']))
    expect(names.some((name) => name.startsWith('entrypoint'))).toBe(true)
    expect(names.some((name) => name.startsWith('node'))).toBe(true)
  })

  test('goes on with certificates that are renewed while requests run, and none of these fails', async () => {
    const { 'ca.crt': ca = '' } = await readSecret(kre.admin, kre.namespace, 'kre-nats-tls')
    const tls = {
      ca: Buffer.from(ca, 'base64').toString(),
      serverName: `kre-nats.${kre.namespace}.svc`,
    }
    const ends = async () =>
      Promise.all(
        (await servers()).map(async (server) => (await lookAtNats(server, tls)).tls?.validTo ?? ''),
      )
    const before = await ends()
    const tally = await underLoad(address, 'ab', async () => {
      await renewCertificate(kre.admin, kre.namespace, 'kre-nats')
      await waitUntil(
        'all servers show the newer one',
        async () => (await ends()).every((end, at) => end > (before[at] ?? '')),
        LONG,
      )
    })
    expect(tally).toMatchObject({ failed: {}, wrong: [], silent: 0 })
  })
}
