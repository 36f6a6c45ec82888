import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@kre/service-kit'
import type { Audit } from './audit/audit.ts'
import { auditLogins } from './audit/audit-logins.ts'
import { createAroundRoutes } from './audit/audit-routes.ts'
import { createClientAddress } from './audit/client-address.ts'
import { createAuditLog } from './audit/create-audit-log.ts'
import { createAuditExportRoute } from './audit/export-route.ts'
import { keepAuditBounded } from './audit/keep-audit-bounded.ts'
import { createRecordRefusedUpload } from './audit/record-refused-upload.ts'
import { createCallRoute } from './calls/call-route.ts'
import { createKeyedLock } from './concurrency/keyed-lock.ts'
import { acquireAlone, createSharedLock } from './concurrency/shared-lock.ts'
import type { AdminApiDeps, FeatureDeps } from './context.ts'
import { createDocumentReader } from './docs/document-reader.ts'
import { createDocumentRoute } from './docs/document-route.ts'
import { createGraphql } from './graphql/create-graphql.ts'
import { createOpenStreams } from './graphql/open-streams.ts'
import { createRunLimits, EXECUTION_MS } from './graphql/run-limits.ts'
import { createSocketDoor } from './graphql/socket-door.ts'
import { createHandler } from './http/create-handler.ts'
import type { Route } from './http/exchange.ts'
import { listen, type Listening } from './http/listen.ts'
import { STALLED_MS } from './http/relay-stream.ts'
import { ownOrigins } from './http/request-origin.ts'
import { createDownloadLogsRoute } from './logs/download-logs-route.ts'
import { createWorkQueue } from './mail/work-queue.ts'
import { createBundleRoute } from './routes/bundle-route.ts'
import { createDescriptorSetRoute } from './routes/descriptor-set-route.ts'
import { createGraphqlRoutes } from './routes/graphql-route.ts'
import { healthRoute } from './routes/health-route.ts'
import { createKeyRoutes } from './routes/key-routes.ts'
import { createMetricsRoute } from './routes/metrics-route.ts'
import { createIdentityProvider } from './oidc/identity-provider.ts'
import { createMailSignInRoutes } from './routes/mail-sign-in-routes.ts'
import { createOidcRoutes } from './routes/oidc-routes.ts'
import { createSignInPages } from './routes/sign-in-pages.ts'
import { createSignInRoutes } from './routes/sign-in-routes.ts'
import { createStatusPageRoute } from './routes/status-page-route.ts'
import { createStatusRoute } from './routes/status-route.ts'
import { createTokenSignInRoute } from './routes/token-sign-in-route.ts'
import { createResumableUploadRoutes } from './routes/resumable-upload-routes.ts'
import { createUploadRoute } from './routes/upload-route.ts'
import { createUiRoutes } from './routes/ui/ui-routes.ts'
import { createProtoComments } from './rpcs/proto-comments.ts'
import { createVersionTypes } from './rpcs/version-types.ts'
import { createAuthenticate } from './sign-in/authenticate.ts'
import { createLogins } from './sign-in/logins.ts'
import { createPrincipals } from './sign-in/principals.ts'
import { createRateLimits } from './sign-in/rate-limits.ts'
import { createSignInLinks } from './sign-in/sign-in-links.ts'
import { createTokenHash } from './sign-in/tokens.ts'
import { createBytesUnderWay } from './uploads/bytes-under-way.ts'
import { createResumableUploads } from './uploads/resumable-uploads.ts'
import { DEFAULT_UPLOAD_LIMITS } from './uploads/upload-limits.ts'
import { createUploadSlots } from './uploads/upload-slots.ts'

export type AdminApi = {
  /** For an HTTP server of the caller's own. */
  handler(req: IncomingMessage, res: ServerResponse): void
  /**
   * Serves on `host:port`; port 0 = any free one.
   *
   * @throws the system's own error (`EADDRINUSE`, …).
   */
  listen(at: { host: string; port: number }): Promise<Listening>
}

/**
 * The administration API: GraphQL, uploads, sign-in, and a status page.
 *
 * @throws KreError `invalid-argument` when the pepper or the development token is too short.
 */
export function createAdminApi(deps: AdminApiDeps): AdminApi {
  const { store, logger, publicUrl } = deps
  const now = deps.now ?? (() => new Date())
  const hashToken = createTokenHash(deps.pepper)
  const audit = createAuditLog({
    audit: store.audit,
    pepper: deps.pepper,
    now,
    logger,
    engine: deps.engineId ?? 'engine',
  })
  const acquire = deps.acquire ?? acquireAlone
  const features: FeatureDeps = {
    ...store,
    ...audit,
    events: deps.events,
    ingest: deps.ingest,
    logger,
    now,
    newId: randomUUID,
    publicUrl,
    hashToken,
    currentPrincipal: (principal) => principals.again(principal),
    lock: createSharedLock(createKeyedLock(), acquire),
    acquire,
    fingerprintKey: deps.pepper,
    liveTraffic: deps.liveTraffic ?? null,
    documents: createDocumentReader(store),
    versionTypes: createVersionTypes(),
    protoComments: createProtoComments({ ...store, logger }),
    uploadLimits: { ...DEFAULT_UPLOAD_LIMITS, ...deps.uploadLimits },
  }
  const identity = { identity: store.identity, now, hashToken }
  const logins = auditLogins(createLogins(identity), audit.auditLog)
  const links = createSignInLinks(identity)
  const principals = createPrincipals({ ...identity, logins })
  const rateLimits = createRateLimits({ ...identity, attempts: store.identity.attempts })
  const mails = createWorkQueue('mails', logger)
  const origins = (req: IncomingMessage): string[] => ownOrigins(req.headers, publicUrl())
  const clientAddress = createClientAddress(deps.trustedProxies ?? [])
  const addressOf = ({ socket, headers }: IncomingMessage): string =>
    clientAddress({ remote: socket.remoteAddress, forwardedFor: headers['x-forwarded-for'] })

  const signIn = {
    ...features,
    links,
    logins,
    rateLimits,
    ownOrigins: origins,
    addressOf,
  }
  const uploading = {
    ...features,
    uploadSlots: createUploadSlots(),
    claimBytes: createBytesUnderWay(features),
  }
  const resumable = createResumableUploads(uploading)
  const graphql = createGraphql(features)
  const openStreams = createOpenStreams(principals)
  const enterRun = createRunLimits()
  const acceptsFiles = deps.graphqlUploads ?? false
  const executionMs = deps.executionMs ?? EXECUTION_MS
  const persistedOnly = deps.persistedOnly ?? false
  const routes: Route[] = [
    healthRoute,
    ...createGraphqlRoutes({
      ...uploading,
      graphql,
      openStreams,
      enterRun,
      acceptsFiles,
      executionMs,
      persistedOnly,
      stalledMs: deps.stalledMs ?? STALLED_MS,
      recordRefusedUpload: createRecordRefusedUpload(features),
    }),
    createUploadRoute({ ...uploading, resumable }),
    ...createResumableUploadRoutes({ ...features, resumable }),
    createBundleRoute(features),
    createDocumentRoute(features),
    createDownloadLogsRoute(features),
    createDescriptorSetRoute(features),
    createCallRoute(features),
    createStatusRoute(deps),
    createMetricsRoute(deps),
    ...createKeyRoutes(deps),
    ...createSignInRoutes(signIn),
    ...createSignInPages(signIn),
    ...createMailSignInRoutes({ ...signIn, queue: mails, mailer: deps.mailer ?? null }),
    createTokenSignInRoute({ ...signIn, principals }),
    ...createOidcRoutes({
      ...signIn,
      provider: deps.oidc === undefined ? null : createIdentityProvider(deps.oidc),
    }),
    createAuditExportRoute(features),
    createStatusPageRoute(features),
    ...createUiRoutes({
      publicUrl,
      uiDir: deps.uiDir ?? null,
      methods: { mail: deps.mailer !== undefined, oidc: deps.oidc !== undefined },
    }),
  ]
  const { bootstrapToken } = deps
  const authenticate = createAuthenticate({ principals, hashToken, bootstrapToken })
  const callers = { authenticate, rateLimits, publicUrl, ownOrigins: origins, addressOf, logger }
  const sockets = createSocketDoor({
    ...callers,
    graphql,
    openStreams,
    principals,
    enterRun,
    persistedOnly,
  })
  const handle = createHandler({
    routes,
    around: createAroundRoutes({ ...features, clientAddress }),
    home: deps.uiDir === undefined ? null : 'ui/',
    ...callers,
  })
  return {
    handler: (req, res) => handle(req, res),
    async listen(at) {
      await closeAbandoned(audit.auditLog, logger)
      const listening = await listen(handle, at, sockets.upgrade)
      const auditAgeMs = deps.auditAgeMs ?? null
      const bounded =
        auditAgeMs === null ? null : keepAuditBounded({ ...audit, now, logger }, auditAgeMs)
      return {
        ...listening,
        async close() {
          await bounded?.[Symbol.asyncDispose]()
          await resumable[Symbol.asyncDispose]()
          await sockets[Symbol.asyncDispose]()
          await listening.close()
          await mails[Symbol.asyncDispose]()
        },
      }
    },
  }
}

/** What cannot be closed now is closed by the next start; until the log can be written nothing is changed anyway. */
async function closeAbandoned(auditLog: Audit, logger: Logger): Promise<void> {
  try {
    const closed = await auditLog.closeAbandoned()
    if (closed > 0)
      logger.warn({ closed }, 'operations that an engine did not finish are audited as unknown')
  } catch (error) {
    logger.error({ err: error }, 'the audit log could not be looked through')
  }
}
