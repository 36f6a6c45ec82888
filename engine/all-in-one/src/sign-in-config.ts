import { join } from 'node:path'
import {
  createFolderMailer,
  createSmtpMailer,
  type AdminApiDeps,
  type OidcSettings,
  type SmtpSettings,
} from '@kre/admin-api'
import { Secret } from '@kre/service-kit/secrets'
import { z } from 'zod'

const flag = z.enum(['true', 'false'])
const text = z.string().default('')

/** Variables about people: where they sign in, and who mails them links. Names are KRE's, where it had them. */
export const SignInEnvironment = z.object({
  KRE_DEVELOPMENT_MODE: flag.default('false'),
  KRE_ADMIN_FRONTEND_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  KRE_TRUSTED_PROXIES: text,
  KRE_PERSISTED_OPERATIONS: flag.optional(),
  KRE_SMTP_ENABLED: flag.optional(),
  KRE_SMTP_HOST: text,
  KRE_SMTP_PORT: z.coerce.number().int().min(1).max(65_535).default(587),
  KRE_SMTP_SENDER: text,
  KRE_SMTP_SENDER_NAME: z.string().default('KRE'),
  KRE_SMTP_USER: text,
  KRE_SMTP_PASS: text,
  KRE_OIDC_ISSUER: text,
  KRE_OIDC_CLIENT_ID: text,
  KRE_OIDC_CLIENT_SECRET: text,
})
type Values = z.output<typeof SignInEnvironment>

/** Variables that no process but the engine gets. */
export const SIGN_IN_SECRETS = { KRE_SMTP_PASS: undefined, KRE_OIDC_CLIENT_SECRET: undefined }

export type SignInConfig = Readonly<{
  /** Where browsers reach the admin API; null = where it listens. */
  publicUrl: string | null
  trustedProxies: readonly string[]
  /** Whether browsers may send nothing but the operations of the admin UI. */
  persistedOnly: boolean
  /** `folder`: mails are files, for development. Null = nobody signs in by mail. */
  mail: (Omit<SmtpSettings, 'pass'> & { pass: Secret }) | 'folder' | null
  oidc: (Omit<OidcSettings, 'clientSecret'> & { clientSecret: Secret | null }) | null
}>

/** What one variable asks of another. */
export function checkSignIn(e: Values, context: z.core.$RefinementCtx<Values>): void {
  const problem = (path: keyof Values, message: string): void =>
    context.addIssue({ code: 'custom', path: [path], message })
  if (hasSmtp(e)) {
    if (e.KRE_SMTP_HOST === '') problem('KRE_SMTP_HOST', 'is needed when mails are on')
    if (!/^[^\s@<>"]+@[^\s@<>"]+$/.test(e.KRE_SMTP_SENDER))
      problem('KRE_SMTP_SENDER', 'has to be the e-mail address that mails come from')
  }
  if (e.KRE_OIDC_ISSUER === '') return
  if (!isProviderUrl(e.KRE_OIDC_ISSUER))
    problem('KRE_OIDC_ISSUER', 'has to be an https URL, or http on this computer')
  if (e.KRE_OIDC_CLIENT_ID === '') problem('KRE_OIDC_CLIENT_ID', 'is needed with KRE_OIDC_ISSUER')
}

export function signInConfig(e: Values): SignInConfig {
  return {
    publicUrl: e.KRE_ADMIN_FRONTEND_BASE_URL ?? null,
    trustedProxies: e.KRE_TRUSTED_PROXIES.split(',').flatMap((entry) => entry.trim() || []),
    persistedOnly:
      e.KRE_PERSISTED_OPERATIONS === undefined
        ? isProduction(e)
        : e.KRE_PERSISTED_OPERATIONS === 'true',
    mail: hasSmtp(e)
      ? {
          host: e.KRE_SMTP_HOST,
          port: e.KRE_SMTP_PORT,
          sender: e.KRE_SMTP_SENDER,
          senderName: e.KRE_SMTP_SENDER_NAME,
          user: e.KRE_SMTP_USER,
          pass: new Secret(e.KRE_SMTP_PASS),
        }
      : e.KRE_DEVELOPMENT_MODE === 'true'
        ? 'folder'
        : null,
    oidc:
      e.KRE_OIDC_ISSUER === ''
        ? null
        : {
            issuer: e.KRE_OIDC_ISSUER,
            clientId: e.KRE_OIDC_CLIENT_ID,
            clientSecret:
              e.KRE_OIDC_CLIENT_SECRET === '' ? null : new Secret(e.KRE_OIDC_CLIENT_SECRET),
          },
  }
}

/** What the admin API gets of it. */
export function signInDeps(
  { trustedProxies, persistedOnly, mail, oidc }: SignInConfig,
  dataDir: string,
): Pick<AdminApiDeps, 'mailer' | 'oidc' | 'trustedProxies' | 'persistedOnly'> {
  return {
    trustedProxies,
    persistedOnly,
    ...(mail === null
      ? {}
      : {
          mailer:
            mail === 'folder'
              ? createFolderMailer(join(dataDir, 'mail'))
              : createSmtpMailer({ ...mail, pass: mail.pass.reveal() }),
        }),
    ...(oidc === null
      ? {}
      : { oidc: { ...oidc, clientSecret: oidc.clientSecret?.reveal() ?? null } }),
  }
}

/** On when a host is there, unless it is said to be off. */
function hasSmtp(e: Values): boolean {
  return e.KRE_SMTP_ENABLED === undefined ? e.KRE_SMTP_HOST !== '' : e.KRE_SMTP_ENABLED === 'true'
}

/** Others come by https; on a laptop there is its owner alone. */
function isProduction(e: Values): boolean {
  return (
    e.KRE_DEVELOPMENT_MODE === 'false' && (e.KRE_ADMIN_FRONTEND_BASE_URL ?? '').startsWith('https:')
  )
}

function isProviderUrl(issuer: string): boolean {
  const url = URL.parse(issuer)
  if (url === null || url.username !== '' || url.hash !== '') return false
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
}
