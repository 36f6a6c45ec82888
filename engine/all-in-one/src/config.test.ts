import { describe, expect, test } from '@jest/globals'
import { parseConfig, sharesInstallation } from './config.ts'

describe('the configuration of the engine', () => {
  test('needs a data folder and has a default for everything else', () => {
    expect(parseConfig({ KRE_DATA: '/data' })).toMatchObject({
      dataDir: '/data',
      cacheDir: '/data/cache',
      adminPort: 4000,
      entrypointPort: 9000,
      engineAbsenceMs: 60_000,
      nodeMemoryBytesMax: null,
      logBounds: { ageMs: 7 * 86_400_000, bytesMax: 1024 ** 3 },
      logLevel: 'info',
    })
  })

  test('keeps the address of MongoDB from what the engine starts', () => {
    expect(parseConfig({ KRE_DATA: '/data' }).mongodb).toBeNull()
    const uri = 'mongodb://user:secret@host/'
    const config = parseConfig({ KRE_DATA: '/data', KRE_MONGODB_URI: uri })
    expect(config.mongodb).toEqual({ uri, databasePrefix: '' })
    expect(JSON.stringify(config.environment)).not.toContain('secret')
  })

  test('names all problems at once', () => {
    const wrong = { KRE_ADMIN_PORT: '70000', KRE_DRAIN_MS: '-1', KRE_LOG_LEVEL: 'loud' }
    expect(() => parseConfig(wrong)).toThrow(
      /KRE_DATA: .*KRE_ADMIN_PORT: .*KRE_DRAIN_MS: .*KRE_LOG_LEVEL: /,
    )
  })

  test.each([
    ['KRE_ADMIN_PORT', '4000.5'],
    ['KRE_ENTRYPOINT_PORT', 'http'],
    ['KRE_PAYLOAD_BYTES_MAX', String(65 * 1024 * 1024)],
    ['KRE_NODE_MEMORY_BYTES_MAX', '1'],
    ['KRE_LOG_BYTES_MAX', '1000'],
    ['KRE_LOG_DAYS', '0'],
    ['KRE_AUDIT_DAYS', '29'],
  ])('refuses %s=%s', (name, value) => {
    expect(() => parseConfig({ KRE_DATA: '/data', [name]: value })).toThrow(name)
  })
})

describe('where versions run', () => {
  const CLUSTER = {
    KRE_DATA: '/data',
    KRE_TARGET: 'kubernetes',
    KRE_KUBERNETES_FILE: '/etc/kre/kubernetes.yaml',
    KRE_NATS_URL: 'nats://nats-0.nats:4222, nats://nats-1.nats:4222',
    KRE_NATS_KEYS_FILE: '/run/kre/keys.json',
    KRE_NATS_REPLICAS: '3',
  }

  test('is this computer, with a nats-server of the engine, where nobody says', () => {
    expect(parseConfig({ KRE_DATA: '/data' })).toMatchObject({
      target: { kind: 'local', kubernetes: null, nats: null, adminHost: '127.0.0.1' },
      natsCredentialsMs: 3_600_000,
    })
  })

  test.each([60_000, 1_800_000, 3_600_000, 86_400_000])(
    'gives credentials that outlive a grace of %s ms whenever the engine dies',
    (graceMs) => {
      const config = parseConfig({ KRE_DATA: '/data', KRE_ENGINE_ABSENCE_MS: String(graceMs) })
      // Two fifths of their life are over at most: then they are renewed.
      const leftMs = config.natsCredentialsMs * 0.6
      expect(leftMs).toBeGreaterThan(config.engineAbsenceMs + config.drainMs)
    },
  )

  test('is a cluster, with a NATS that others run', () => {
    expect(parseConfig(CLUSTER)).toMatchObject({
      target: {
        kind: 'kubernetes',
        kubernetes: { file: '/etc/kre/kubernetes.yaml', kubeconfig: null },
        nats: {
          servers: ['nats://nats-0.nats:4222', 'nats://nats-1.nats:4222'],
          keysFile: '/run/kre/keys.json',
          replicas: 3,
        },
      },
      // Pods work for hours without an engine that renews them.
      natsCredentialsMs: 86_400_000,
    })
  })

  test('speaks TLS to that NATS where a variable or its address says so', () => {
    expect(parseConfig(CLUSTER).target.nats).toMatchObject({ tls: null, reloadMs: null })
    const named = { KRE_NATS_URL: 'tls://nats:4222', KRE_NATS_TLS_VERSIONS_CERT_FILE: '/v.pem' }
    const given = { ...CLUSTER, ...named, KRE_NATS_TLS_VERSIONS_KEY_FILE: '/v.key' }
    expect(parseConfig(given).target.nats?.tls).toEqual({
      authorities: null,
      engine: null,
      versions: {
        cert: { path: '/v.pem', variable: 'KRE_NATS_TLS_VERSIONS_CERT_FILE' },
        key: { path: '/v.key', variable: 'KRE_NATS_TLS_VERSIONS_KEY_FILE' },
      },
      serverName: null,
      handshakeFirst: false,
    })
    const local = { KRE_DATA: '/data', KRE_NATS_TLS_CA_FILE: '/ca.pem' }
    expect(() => parseConfig(local)).toThrow('is about a NATS that somebody else runs')
  })

  test('is one installation for several engines when their data is not in a folder either', () => {
    expect(sharesInstallation(parseConfig(CLUSTER))).toBe(false)
    const mongodb = { KRE_MONGODB_URI: 'mongodb://db/' }
    expect(sharesInstallation(parseConfig({ ...CLUSTER, ...mongodb }))).toBe(true)
    expect(sharesInstallation(parseConfig({ KRE_DATA: '/data', ...mongodb }))).toBe(false)
  })

  test.each([
    ['KRE_KUBERNETES_FILE', undefined, 'is needed with KRE_TARGET=kubernetes'],
    ['KRE_NATS_URL', undefined, "pods can't reach a server here"],
    ['KRE_NATS_KEYS_FILE', undefined, 'by its keys the engine makes accounts'],
    ['KRE_NATS_URL', 'nats://user:password@nats:4222', 'keys are in KRE_NATS_KEYS_FILE'],
    ['KRE_NATS_URL', 'http://nats:4222', 'nats://host:4222'],
    ['KRE_NATS_REPLICAS', '2', 'KRE_NATS_REPLICAS'],
    ['KRE_NATS_URL', 'tls://a:4222,nats://b:4222', 'names servers with tls:// and others without'],
    ['KRE_NATS_TLS_CERT_FILE', '/cert.pem', 'KRE_NATS_TLS_KEY_FILE: is needed with'],
    ['KRE_NATS_TLS_SERVER_NAME', 'a b', 'has to be a host name'],
    ['KRE_NATS_TLS_HANDSHAKE_FIRST', 'yes', 'KRE_NATS_TLS_HANDSHAKE_FIRST'],
    ['KRE_NATS_RELOAD_MS', '1', 'KRE_NATS_RELOAD_MS'],
    ['KRE_TARGET', 'nomad', 'KRE_TARGET'],
    ['KRE_ENGINE_NAME', 'a b', 'KRE_ENGINE_NAME'],
  ])('is refused with the reason: %s=%s', (name, value, reason) => {
    expect(() => parseConfig({ ...CLUSTER, [name]: value })).toThrow(reason)
  })
})
