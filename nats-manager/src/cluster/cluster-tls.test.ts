/** Three real servers that speak TLS to clients and to each other, with certificates that are renewed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DAY_MS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { lookAtNats } from '@kre/service-kit/nats-tls'
import { makeAuthority } from '@kre/service-kit/testing'
import { reloadServers } from '../server/reload-servers.ts'
import { makeCluster, type TestCluster } from '../testing/start-cluster.ts'

const authority = makeAuthority()
const tls = { ca: authority.ca }

let tlsDir: string
let cluster: TestCluster
/** As the kubelet does it for a Secret of cert-manager. */
async function writeCertificate(toMs: number): Promise<void> {
  const { cert, key } = authority.issue('nats', { names: cluster.hosts, toMs })
  await writeFile(join(tlsDir, 'ca.crt'), authority.ca)
  await writeFile(join(tlsDir, 'tls.crt'), cert)
  await writeFile(join(tlsDir, 'tls.key'), key)
}

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip
describeOnLinux('a cluster with TLS', () => {
  beforeAll(async () => {
    tlsDir = await mkdtemp(join(tmpdir(), 'kre-cluster-tls-'))
    cluster = await makeCluster(3, 78, { tlsDir })
    await writeCertificate(DAY_MS)
    await Promise.all(cluster.hosts.map((host) => cluster.start(host)))
  })
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]()
    await rm(tlsDir, { recursive: true, force: true })
  })

  test('finds together, and carries messages from server to server', async () => {
    await waitUntil('routes', async () => {
      const { routes } = (await cluster
        .monitor(cluster.hosts[0] ?? '', 'routez')
        .catch(() => ({ routes: [] }))) as { routes: { remote_id: string }[] }
      return new Set(routes.map(({ remote_id }) => remote_id)).size === 2
    })
    const connection = await cluster.connect(tls)
    const subscription = connection.subscribe('a', { max: 1 })
    await connection.flush()
    connection.publish('a', 'secret')
    for await (const message of subscription) expect(message.string()).toBe('secret')
    await connection.close()
  })

  test('wants TLS of clients and of servers, and says nothing to others', async () => {
    for (const server of cluster.servers) {
      await expect(lookAtNats(server, null)).rejects.toThrow(/nobody trusted here vouches for/)
      expect(await lookAtNats(server, tls)).toMatchObject({ tls: { protocol: 'TLSv1.3' } })
    }
    const [host = ''] = cluster.hosts
    const stranger = createConnection({ host, port: 26_222 })
    stranger.on('error', () => undefined)
    let heard = ''
    stranger.on('data', (chunk) => (heard += String(chunk)))
    stranger.write(
      'CONNECT {"verbose":false,"user":"kre","pass":"p\\"a/s s","tls_required":false,"name":"x"}\r\nPING\r\n',
    )
    await once(stranger, 'close')
    expect(heard).not.toMatch(/PONG|RS\+/)
  })

  test('shows newer certificates once it is told to look, and its connections go on', async () => {
    const connection = await cluster.connect(tls)
    const system = await cluster.connect(tls, 'system')
    const validTo = async () =>
      Promise.all(
        cluster.servers.map(async (server) => (await lookAtNats(server, tls)).tls?.validTo ?? ''),
      )
    const before = await validTo()
    await writeCertificate(2 * DAY_MS)
    expect(await validTo()).toEqual(before)
    expect(await reloadServers(system)).toBe(3)
    await waitUntil('the newer ones', async () =>
      (await validTo()).every((date, at) => date > (before[at] ?? '')),
    )
    await connection.flush()
    expect(connection.isClosed()).toBe(false)
    // The accounts are what they were: a user of the engine's gets in.
    const again = await cluster.connect(tls)
    await again.flush()
    for (const one of [connection, system, again]) await one.close()
  })
})
