/** What `GET /api/v1/status` answers: every process of an engine and every address it serves, as they are now. */
export type EngineStatus = {
  engine: {
    version: string
    /** ISO 8601, UTC. */
    startedAt: string
    dataDir: string
  }
  processes: EngineProcess[]
  addresses: EngineAddress[]
}

export type EngineProcess = {
  role: 'engine' | 'nats-server' | 'nats-guard' | 'entrypoint' | 'node'
  /** Null, like the four after it, where it does not apply. */
  runtime: string | null
  version: string | null
  workflow: string | null
  node: string | null
  /** Other nodes in the same process. */
  fused: readonly string[]
  replica: number | null
  /** Null = no process lives now. */
  pid: number | null
  /** A `ReplicaState`; `ready` or `gone` for the engine's own processes. */
  state: string
  restarts: number
  /** Why it is not ready; empty when it is. */
  reason: string
}

type EngineAddress = {
  name: string
  runtime: string | null
  version: string | null
  /** `host:port`. */
  address: string
}
