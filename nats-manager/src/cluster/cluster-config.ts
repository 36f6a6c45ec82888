import { commonConfig, type CommonConfig } from '../server/server-config.ts'

/** Ports of a server of the cluster: for clients, for the other servers, and for probes and metrics. */
export type ClusterPorts = { client: number; routes: number; monitor: number }
const PORTS: ClusterPorts = { client: 4222, routes: 6222, monitor: 8222 }

/**
 * Older than any account JWT that an engine signs: a server that starts brings its accounts as they were at the
 * installation, and must not undo what an engine has told the cluster since.
 */
const PRELOAD_ISSUED_AT = 1

/** For the handshake, on a machine with much else to do: the server's own default is 2 s. */
const TLS_TIMEOUT_S = 5
/** For the login of a server beside it. */
const ROUTE_TIMEOUT_S = 3

export type ClusterServer = Omit<CommonConfig, 'issuedAt'> & {
  /** Of this server, in the whole cluster. */
  name: string
  cluster: string
  /** Host names of all servers, this one among them; with one there is no cluster. */
  peers: readonly string[]
  /** By which the servers know each other. Secret. */
  password: string
  /** Where it listens; everywhere by default. */
  host?: string
  ports?: ClusterPorts
  /** Folder with `tls.crt`, `tls.key` and `ca.crt`; absent = everything goes in plain text. */
  tlsDir?: string
}

/**
 * Configuration file of one server of a NATS cluster: as that of a laptop's server, but it listens to others, knows the
 * servers beside it, and leaves its clients one by one before it ends.
 */
export function clusterConfig(server: ClusterServer): string {
  const { host = '0.0.0.0', ports = PORTS, storeDir, accountsDir, keys, tlsDir } = server
  return `# Written by KRE at each start. Changes are lost.
server_name: ${text(server.name)}
host: ${text(host)}
port: ${ports.client}
http: ${text(`${host}:${ports.monitor}`)}
# Clients go over to other servers one by one.
lame_duck_grace_period: "5s"
lame_duck_duration: "30s"
${tlsDir === undefined ? '' : `tls {${certificate(tlsDir)}}\n`}${server.peers.length > 1 ? routes({ ...server, host, ports }) : ''}${commonConfig(
    {
      storeDir,
      accountsDir,
      keys,
      issuedAt: PRELOAD_ISSUED_AT,
    },
  )}`
}

type Routes = Required<Pick<ClusterServer, 'cluster' | 'peers' | 'password' | 'host' | 'ports'>> &
  Pick<ClusterServer, 'tlsDir'>

function routes({ cluster, peers, password, host, ports, tlsDir }: Routes): string {
  const login = `kre:${encodeURIComponent(password)}`
  const urls = peers.map((peer) => text(`nats://${login}@${peer}:${ports.routes}`))
  return `cluster {
  name: ${text(cluster)}
  listen: ${text(`${host}:${ports.routes}`)}
  authorization { user: "kre", password: ${text(password)}, timeout: ${ROUTE_TIMEOUT_S + (tlsDir === undefined ? 0 : TLS_TIMEOUT_S)} }
${tlsDir === undefined ? '' : tlsOfRoutes(tlsDir)}  routes: [
    ${urls.join('\n    ')}
  ]
}
`
}

/** Servers show each other their certificates, and each has to be of the one authority. */
function tlsOfRoutes(dir: string): string {
  return `  tls {${certificate(dir)}  ca_file: ${text(`${dir}/ca.crt`)}\n}\n`
}

function certificate(dir: string): string {
  return `
  cert_file: ${text(`${dir}/tls.crt`)}
  key_file: ${text(`${dir}/tls.key`)}
  timeout: ${TLS_TIMEOUT_S}
`
}

/** JSON strings are valid in this format, whatever is in them. */
function text(value: string): string {
  return JSON.stringify(value)
}
