import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@kre/contracts'
import {
  NatsTlsEnvironment,
  natsTlsProblems,
  type NatsTlsSettings,
  natsTlsSettings,
} from '@kre/service-kit/nats-tls'
import { z } from 'zod'

/** Variables that say where versions run, and what the engine finds there already. */
export const TargetEnvironment = NatsTlsEnvironment.extend({
  KRE_TARGET: z.enum(['local', 'kubernetes']).default('local'),
  KRE_KUBERNETES_FILE: z.string().min(1).optional(),
  KRE_KUBECONFIG: z.string().min(1).optional(),
  KRE_NATS_URL: z.string().default(''),
  KRE_NATS_KEYS_FILE: z.string().min(1).optional(),
  KRE_NATS_REPLICAS: z.enum(['1', '3', '5']).default('1'),
  KRE_NATS_RELOAD_MS: z.coerce
    .number()
    .int()
    .min(10 * SECOND_MS)
    .optional(),
  KRE_ADMIN_HOST: z.string().min(1).max(255).default('127.0.0.1'),
  KRE_PEPPER_FILE: z.string().min(1).optional(),
  KRE_TOKEN_FILE: z.string().min(1).optional(),
  KRE_ENGINE_NAME: z
    .string()
    .regex(/^[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?$/)
    .optional(),
})
type Values = z.output<typeof TargetEnvironment>

export type TargetConfig = Readonly<{
  kind: 'local' | 'kubernetes'
  /** Null = versions are processes of this computer. */
  kubernetes: Readonly<{
    /** YAML with `KubernetesSettings`. */
    file: string
    /** Null = `$KUBECONFIG`, `~/.kube/config`, or the pod's own service account. */
    kubeconfig: string | null
  }> | null
  /** A server that somebody else runs; null = the engine starts its own one. */
  nats: Readonly<{
    servers: readonly string[]
    keysFile: string
    replicas: number
    /** Null = without TLS, unless the servers want it. */
    tls: NatsTlsSettings | null
    /** How often servers are told to read their certificates again; null = who runs them does that. */
    reloadMs: number | null
  }> | null
  /** Where the admin API listens. */
  adminHost: string
  /** Secrets that all engines of an installation share; null = each is a file of the data folder, made when it is missing. */
  secretFiles: Readonly<{ pepper: string | null; token: string | null }>
  /** Among engines that run on computers of their own: in the audit log, and in their lease. */
  engineName: string
}>

/** What one variable asks of another. */
export function checkTarget(e: Values, context: z.core.$RefinementCtx<Values>): void {
  const problem = (path: keyof Values, message: string): void =>
    context.addIssue({ code: 'custom', path: [path], message })
  const wrong = serversOf(e.KRE_NATS_URL).find((server) => !isServer(server))
  if (wrong !== undefined)
    problem(
      'KRE_NATS_URL',
      'has to be addresses like nats://host:4222, with commas between them; keys are in KRE_NATS_KEYS_FILE',
    )
  if (e.KRE_NATS_URL !== '' && e.KRE_NATS_KEYS_FILE === undefined)
    problem(
      'KRE_NATS_KEYS_FILE',
      'is needed with KRE_NATS_URL: by its keys the engine makes accounts',
    )
  for (const { path, message } of natsTlsProblems(e, serversOf(e.KRE_NATS_URL)))
    problem(path, message)
  if (e.KRE_TARGET === 'local') return
  if (e.KRE_KUBERNETES_FILE === undefined)
    problem(
      'KRE_KUBERNETES_FILE',
      'is needed with KRE_TARGET=kubernetes: a YAML file that says in which namespace and from which images versions run',
    )
  if (e.KRE_NATS_URL === '')
    problem('KRE_NATS_URL', "is needed with KRE_TARGET=kubernetes: pods can't reach a server here")
}

export function targetConfig(e: Values): TargetConfig {
  return Object.freeze({
    kind: e.KRE_TARGET,
    kubernetes:
      e.KRE_TARGET === 'local'
        ? null
        : {
            file: resolve(e.KRE_KUBERNETES_FILE ?? ''),
            kubeconfig: e.KRE_KUBECONFIG === undefined ? null : resolve(e.KRE_KUBECONFIG),
          },
    nats:
      e.KRE_NATS_URL === ''
        ? null
        : {
            servers: serversOf(e.KRE_NATS_URL),
            keysFile: resolve(e.KRE_NATS_KEYS_FILE ?? ''),
            replicas: Number(e.KRE_NATS_REPLICAS),
            tls: natsTlsSettings(e, serversOf(e.KRE_NATS_URL)),
            reloadMs: e.KRE_NATS_RELOAD_MS ?? null,
          },
    adminHost: e.KRE_ADMIN_HOST,
    secretFiles: {
      pepper: e.KRE_PEPPER_FILE === undefined ? null : resolve(e.KRE_PEPPER_FILE),
      token: e.KRE_TOKEN_FILE === undefined ? null : resolve(e.KRE_TOKEN_FILE),
    },
    engineName: e.KRE_ENGINE_NAME ?? hostname().toLowerCase(),
  })
}

/** Engines renew credentials when two fifths of their life are over: so much of it is left whenever an engine dies. */
const LIFE_LEFT = 0.6
/** Between the end of the grace and that of the credentials. */
const MARGIN_MS = MINUTE_MS

/**
 * How long credentials of processes are good where nobody says. Whenever the engine dies, they outlive the time that
 * processes go on without it: of an engine on a cluster that is not known here, and a day leaves half of one.
 */
export function defaultCredentialsMs(
  e: Pick<Values, 'KRE_TARGET'> & { KRE_ENGINE_ABSENCE_MS: number; KRE_DRAIN_MS: number },
): number {
  if (e.KRE_TARGET === 'kubernetes') return DAY_MS
  const alone = e.KRE_ENGINE_ABSENCE_MS + e.KRE_DRAIN_MS + MARGIN_MS
  return Math.max(HOUR_MS, Math.ceil(alone / LIFE_LEFT))
}

function serversOf(url: string): string[] {
  return url.split(',').flatMap((server) => server.trim() || [])
}

/** A login in it would go to every pod. */
function isServer(server: string): boolean {
  return /^(?:(?:nats|tls):\/\/)?[a-zA-Z0-9.\-[\]:]+$/.test(server)
}
