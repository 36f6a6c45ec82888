import { commonConfig, type CommonConfig } from '../server/server-config.ts'

/** Ports of a server of the cluster: for clients, for the other servers, and for probes and metrics. */
export type ClusterPorts = { client: number; routes: number; monitor: number }
const PORTS: ClusterPorts = { client: 4222, routes: 6222, monitor: 8222 }

/**
 * Older than any account JWT that an engine signs: a server that starts brings its accounts as they were at the
 * installation, and must not undo what an engine has told the cluster since.
 */
const PRELOAD_ISSUED_AT = 1

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
}

/**
 * Configuration file of one server of a NATS cluster: as that of a laptop's server, but it listens to others, knows the
 * servers beside it, and leaves its clients one by one before it ends.
 */
export function clusterConfig(server: ClusterServer): string {
  const { host = '0.0.0.0', ports = PORTS, storeDir, accountsDir, keys } = server
  return `# Written by KRE at each start. Changes are lost.
server_name: ${text(server.name)}
host: ${text(host)}
port: ${ports.client}
http: ${text(`${host}:${ports.monitor}`)}
# Clients go over to other servers one by one.
lame_duck_grace_period: "5s"
lame_duck_duration: "30s"
${server.peers.length > 1 ? routes({ ...server, host, ports }) : ''}${commonConfig({
    storeDir,
    accountsDir,
    keys,
    issuedAt: PRELOAD_ISSUED_AT,
  })}`
}

function routes(server: Required<Omit<ClusterServer, keyof CommonConfig | 'name'>>): string {
  const { cluster, peers, password, host, ports } = server
  const login = `kre:${encodeURIComponent(password)}`
  const urls = peers.map((peer) => text(`nats://${login}@${peer}:${ports.routes}`))
  return `cluster {
  name: ${text(cluster)}
  listen: ${text(`${host}:${ports.routes}`)}
  authorization { user: "kre", password: ${text(password)}, timeout: 3 }
  routes: [
    ${urls.join('\n    ')}
  ]
}
`
}

/** JSON strings are valid in this format, whatever is in them. */
function text(value: string): string {
  return JSON.stringify(value)
}
