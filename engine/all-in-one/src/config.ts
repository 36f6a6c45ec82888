import { join, resolve } from 'node:path'
import {
  DAY_MS,
  type Fuse,
  GiB,
  KreError,
  MiB,
  MINUTE_MS,
  SECOND_MS,
  type Tracing,
} from '@kre/contracts'
import { Secret } from '@kre/service-kit/secrets'
import { z } from 'zod'
import {
  checkSignIn,
  SIGN_IN_SECRETS,
  SignInEnvironment,
  signInConfig,
  type SignInConfig,
} from './sign-in-config.ts'
import {
  checkTarget,
  defaultCredentialsMs,
  targetConfig,
  TargetEnvironment,
  type TargetConfig,
} from './target-config.ts'

const port = z.coerce.number().int().min(0).max(65_535)
const milliseconds = z.coerce.number().int().min(0)

const Environment = SignInEnvironment.extend({
  ...TargetEnvironment.shape,
  KRE_DATA: z.string().min(1),
  KRE_CACHE: z.string().optional(),
  KRE_MONGODB_URI: z.string().default(''),
  KRE_MONGODB_PREFIX: z.string().default(''),
  KRE_JOIN: z.enum(['true', 'false']).default('false'),
  KRE_ADMIN_PORT: port.default(4000),
  KRE_ENTRYPOINT_PORT: port.default(9000),
  KRE_ENGINE_ABSENCE_MS: milliseconds.default(MINUTE_MS),
  KRE_NATS_CREDENTIALS_MS: milliseconds.min(10 * SECOND_MS).optional(),
  KRE_DRAIN_MS: milliseconds.default(10 * SECOND_MS),
  KRE_START_TIMEOUT_MS: milliseconds.min(SECOND_MS).default(MINUTE_MS),
  KRE_REQUEST_TIMEOUT_MS: milliseconds.default(30 * SECOND_MS),
  KRE_PAYLOAD_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(1)
    // What a frame to a Python worker holds.
    .max(64 * MiB)
    .default(4 * MiB),
  KRE_ENTRYPOINT_WORKERS: z.coerce.number().int().min(1).max(64).default(1),
  KRE_CORS_ORIGINS: z.string().default(''),
  KRE_FUSE: z.enum(['true', 'false', 'auto']).default('false'),
  KRE_NODE_MEMORY_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(64 * MiB)
    .optional(),
  KRE_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  KRE_TRACE_RATIO: z.coerce.number().min(0).max(1).default(0),
  KRE_LOG_DAYS: z.coerce.number().min(0.01).max(3650).default(7),
  KRE_LOG_BYTES_MAX: z.coerce.number().int().min(MiB).default(GiB),
  // Less than a month is no memory of who did what.
  KRE_AUDIT_DAYS: z.coerce.number().min(30).max(36_500).optional(),
  KRE_ISOLATION: z.enum(['auto', 'off', 'required']).default('auto'),
  KRE_MASTER_KEY: z.string().min(1).optional(),
  KRE_MASTER_KEY_FILE: z.string().min(1).optional(),
  KRE_GRAPHQL_UPLOADS: z.enum(['true', 'false']).default('false'),
  KRE_UPLOAD_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(1)
    // What the strict reader takes.
    .max(512 * MiB)
    .optional(),
  KRE_UPLOADS_UNDER_WAY_BYTES_MAX: z.coerce.number().int().min(1).optional(),
  KRE_VERSIONS_MAX: z.coerce.number().int().min(1).optional(),
  KRE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  PATH: z.string().default(''),
})
  .superRefine(checkSignIn)
  .superRefine(checkTarget)

export type Config = Readonly<{
  dataDir: string
  /** Things that can be made again: nats-server, Python environments. */
  cacheDir: string
  /** Where versions run, and what is there already. */
  target: TargetConfig
  /** Where the data is instead of the folder; null = in the folder. */
  mongodb: Readonly<{ uri: string; databasePrefix: string }> | null
  /** Works beside the engine of the data folder, when there is one, instead of being refused. */
  joins: boolean
  adminPort: number
  entrypointPort: number
  /** Processes of versions end when no engine has been there for so long. */
  engineAbsenceMs: number
  /** How long the NATS credentials of a process are good; they are renewed before. */
  natsCredentialsMs: number
  drainMs: number
  /** A process that is not ready after so long makes its version ERROR until it is. */
  startTimeoutMs: number
  requestTimeoutMs: number
  payloadBytesMax: number
  /** Processes that share one entrypoint's port; more than 1 only where the system can (Linux). */
  entrypointWorkers: number
  /** Origins of web pages that may read answers; `*` = any. */
  corsOrigins: readonly string[]
  /** Whether nodes share processes in workflows that do not say. */
  fuse: Fuse
  nodeMemoryBytesMax: number | null
  /** Where processes of versions send their spans; null = there are none. */
  tracing: Tracing | null
  /** `required`: nodes do not start where they can't be kept apart from the engine; `auto`: it is said in the log. */
  isolation: z.infer<typeof Environment>['KRE_ISOLATION']
  /** Where the keys that encrypt configuration values come from; both null = a file that the engine makes. */
  masterKey: Readonly<{ text: Secret | null; file: string | null }>
  /** Log lines of nodes go at this age, and the oldest ones of a runtime beyond so many bytes. */
  logBounds: Readonly<{ ageMs: number; bytesMax: number }>
  /** Links of the audit log go at this age; null = never. */
  auditAgeMs: number | null
  /** Bounds of uploads that have no default here; the admin API has its own. */
  uploadLimits: Readonly<{ bytesMax?: number; bytesUnderWayMax?: number; versionsMax?: number }>
  /** Whether GraphQL takes files. */
  graphqlUploads: boolean
  logLevel: z.infer<typeof Environment>['KRE_LOG_LEVEL']
  /** How people sign in. */
  signIn: SignInConfig
  path: string
  /** Everything, for the processes that this one starts; each gets the few variables it needs. */
  environment: Readonly<Record<string, string | undefined>>
}>

/** @throws KreError `invalid-argument` with all problems at once. */
export function parseConfig(environment: Record<string, string | undefined>): Config {
  const parsed = Environment.safeParse(environment)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new KreError(
      'invalid-argument',
      `the engine's configuration is wrong: ${problems.join('; ')}`,
    )
  }
  const e = parsed.data
  return Object.freeze({
    dataDir: resolve(e.KRE_DATA),
    cacheDir: resolve(e.KRE_CACHE ?? join(e.KRE_DATA, 'cache')),
    target: targetConfig(e),
    mongodb:
      e.KRE_MONGODB_URI === ''
        ? null
        : { uri: e.KRE_MONGODB_URI, databasePrefix: e.KRE_MONGODB_PREFIX },
    joins: e.KRE_JOIN === 'true',
    adminPort: e.KRE_ADMIN_PORT,
    entrypointPort: e.KRE_ENTRYPOINT_PORT,
    engineAbsenceMs: e.KRE_ENGINE_ABSENCE_MS,
    natsCredentialsMs: e.KRE_NATS_CREDENTIALS_MS ?? defaultCredentialsMs(e),
    drainMs: e.KRE_DRAIN_MS,
    startTimeoutMs: e.KRE_START_TIMEOUT_MS,
    requestTimeoutMs: e.KRE_REQUEST_TIMEOUT_MS,
    payloadBytesMax: e.KRE_PAYLOAD_BYTES_MAX,
    entrypointWorkers: process.platform === 'linux' ? e.KRE_ENTRYPOINT_WORKERS : 1,
    corsOrigins: e.KRE_CORS_ORIGINS.split(',').flatMap((origin) => origin.trim() || []),
    fuse: e.KRE_FUSE === 'auto' ? 'auto' : e.KRE_FUSE === 'true',
    nodeMemoryBytesMax: e.KRE_NODE_MEMORY_BYTES_MAX ?? null,
    tracing:
      e.KRE_OTLP_ENDPOINT === undefined
        ? null
        : { endpoint: e.KRE_OTLP_ENDPOINT, sampleRatio: e.KRE_TRACE_RATIO },
    isolation: e.KRE_ISOLATION,
    masterKey: {
      text: e.KRE_MASTER_KEY === undefined ? null : new Secret(e.KRE_MASTER_KEY),
      file: e.KRE_MASTER_KEY_FILE === undefined ? null : resolve(e.KRE_MASTER_KEY_FILE),
    },
    logBounds: { ageMs: e.KRE_LOG_DAYS * DAY_MS, bytesMax: e.KRE_LOG_BYTES_MAX },
    auditAgeMs: e.KRE_AUDIT_DAYS === undefined ? null : e.KRE_AUDIT_DAYS * DAY_MS,
    uploadLimits: {
      ...(e.KRE_UPLOAD_BYTES_MAX === undefined ? {} : { bytesMax: e.KRE_UPLOAD_BYTES_MAX }),
      ...(e.KRE_UPLOADS_UNDER_WAY_BYTES_MAX === undefined
        ? {}
        : { bytesUnderWayMax: e.KRE_UPLOADS_UNDER_WAY_BYTES_MAX }),
      ...(e.KRE_VERSIONS_MAX === undefined ? {} : { versionsMax: e.KRE_VERSIONS_MAX }),
    },
    graphqlUploads: e.KRE_GRAPHQL_UPLOADS === 'true',
    logLevel: e.KRE_LOG_LEVEL,
    signIn: signInConfig(e),
    path: e.PATH,
    environment: {
      ...environment,
      ...SIGN_IN_SECRETS,
      KRE_MASTER_KEY: undefined,
      KRE_MONGODB_URI: undefined,
    },
  })
}

/**
 * Whether engines on several computers work on one installation: nothing that they share is in a folder of one of them.
 */
export function sharesInstallation({ target, mongodb }: Config): boolean {
  return target.kubernetes !== null && mongodb !== null
}
