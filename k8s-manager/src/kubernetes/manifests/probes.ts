/** How the cluster finds out whether a pod works. */
import { READINESS_SERVICE, SECOND_MS } from '@kre/contracts'
import type { V1Container, V1Probe } from '@kubernetes/client-node'
import { PORTS } from '../pod-layout.ts'
import type { KubernetesSettings } from '../settings.ts'

type Probes = Pick<V1Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe'>
type Question = Pick<V1Probe, 'httpGet' | 'tcpSocket' | 'grpc'>
type Timing = Pick<V1Probe, 'periodSeconds' | 'timeoutSeconds' | 'failureThreshold'>

const STARTUP_PERIOD_S = 1
const STARTUP_TIMEOUT_S = 2
/** Together 15 s, after which a ready process of a laptop counts as hung too. */
const LIVENESS: Timing = { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 }
const READINESS: Timing = { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 }

/** A node's process answers on a port of its own; user code that blocks it for long makes it silent. */
export function nodeProbes(settings: KubernetesSettings): Probes {
  const isReady: Question = { httpGet: { path: '/readyz', port: 'health', scheme: 'HTTP' } }
  const isAlive: Question = { httpGet: { path: '/healthz', port: 'health', scheme: 'HTTP' } }
  return {
    startupProbe: { ...isReady, ...startup(settings) },
    readinessProbe: { ...isReady, ...READINESS },
    livenessProbe: { ...isAlive, ...LIVENESS },
  }
}

/**
 * An entrypoint is ready when all nodes of its version were there once, which is no reason to end it: its start has no probe
 * that waits for them, and alive is who listens.
 */
export function entrypointProbes(settings: KubernetesSettings): Probes {
  const listens: Question = { tcpSocket: { port: 'grpc' } }
  const serves: Question = { grpc: { port: PORTS.grpc, service: READINESS_SERVICE } }
  return {
    startupProbe: { ...listens, ...startup(settings) },
    readinessProbe: { ...serves, ...READINESS },
    livenessProbe: { ...listens, ...LIVENESS },
  }
}

function startup({ readyTimeoutMs }: KubernetesSettings): Timing {
  return {
    periodSeconds: STARTUP_PERIOD_S,
    timeoutSeconds: STARTUP_TIMEOUT_S,
    failureThreshold: Math.max(1, Math.ceil(readyTimeoutMs / SECOND_MS / STARTUP_PERIOD_S)),
  }
}
