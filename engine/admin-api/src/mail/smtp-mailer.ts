import { isNativeError } from 'node:util/types'
import { KreError, SECOND_MS } from '@kre/contracts'
import type { Transporter } from 'nodemailer'
import { z } from 'zod'
import type { Mailer } from './mailer.ts'

export type SmtpSettings = {
  host: string
  port: number
  /** Address that mails come from. */
  sender: string
  senderName: string
  /** Empty = the server asks for no sign-in. */
  user: string
  pass: string
}

/** RFC 8314: this port speaks TLS from the first byte; on others it begins with STARTTLS where the server offers it. */
const SMTPS_PORT = 465
/** As tokens are, and hardly anything else of what a mail server says. */
const LONG_WORDS = /[A-Za-z0-9_-]{32,}/g
const CONNECT_TIMEOUT_MS = 10 * SECOND_MS
const SILENCE_TIMEOUT_MS = 30 * SECOND_MS

/**
 * Mails by SMTP, over one connection at a time that is kept for a while. The first mail loads what sends it.
 * Its errors are KreErrors: `failed-precondition` when the server refuses for good, else `unavailable`.
 */
export function createSmtpMailer(settings: SmtpSettings): Mailer {
  const { sender, senderName } = settings
  let opened: Promise<Transporter> | null = null
  return {
    async send({ to, subject, text }) {
      const transport = await (opened ??= openTransport(settings))
      const mail = {
        from: { name: senderName, address: sender },
        to: { name: '', address: to },
        subject,
        text,
        // RFC 3834: no answering machine answers it.
        headers: { 'Auto-Submitted': 'auto-generated' },
      }
      await transport.sendMail(mail).catch((error: unknown) => {
        throw notSent(error, settings)
      })
    },
    // One that could not be opened was told to who sent.
    close: () =>
      void opened?.then(
        (transport) => transport.close(),
        () => undefined,
      ),
  }
}

async function openTransport({ host, port, user, pass }: SmtpSettings): Promise<Transporter> {
  const { createTransport } = await import('nodemailer')
  return createTransport({
    host,
    port,
    secure: port === SMTPS_PORT,
    // A password never goes over a line that others read.
    requireTLS: user !== '' && !isLoopback(host),
    ...(user === '' ? {} : { auth: { user, pass } }),
    pool: true,
    maxConnections: 1,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/** What nodemailer says of an error besides its message. */
const SmtpError = z.object({
  code: z.string().catch(''),
  /** Of TLS or of the socket. */
  originalCode: z.string().catch(''),
  /** RFC 5321: 4xx is for now, 5xx for good. */
  responseCode: z.number().catch(0),
})

/** Filters of servers quote what they don't like: links, with the tokens in them, which are for nobody's log. */
function notSent(error: unknown, { host, port }: SmtpSettings): KreError {
  const words = (isNativeError(error) ? error.message : String(error)).replace(
    LONG_WORDS,
    '<token>',
  )
  const known = SmtpError.parse(isNativeError(error) ? error : {})
  const [what, advice] = explain(known, host)
  return new KreError(
    known.responseCode >= 500 ? 'failed-precondition' : 'unavailable',
    `the mail server ${host}:${port} ${what}: ${words}${advice === '' ? '' : `; ${advice}`}`,
  )
}

/** Codes of OpenSSL and Node for a certificate that is not believed. */
const NOT_TRUSTED = /CERT|UNABLE_TO_|SELF_SIGNED|HOSTNAME_MISMATCH|ALTNAME/
/** RFC 3207 and RFC 4954 have it for both: STARTTLS or a sign-in has to come first. */
const FIRST_SOMETHING_ELSE = 530

function explain(
  { code, originalCode, responseCode }: z.infer<typeof SmtpError>,
  host: string,
): [what: string, advice: string] {
  if (NOT_TRUSTED.test(originalCode))
    return [
      'shows a certificate that the engine does not trust',
      `it has to be good for "${host}"; certificates of a company of its own are named by NODE_EXTRA_CA_CERTS`,
    ]
  if (code === 'EAUTH')
    return ['refuses the user name or the password', 'check KRE_SMTP_USER and KRE_SMTP_PASS']
  if (code === 'ETLS')
    return [
      'does not begin TLS, and a password goes over nothing else',
      'let it offer STARTTLS, or set KRE_SMTP_PORT=465',
    ]
  if (responseCode === FIRST_SOMETHING_ELSE)
    return [
      'wants TLS or a sign-in first',
      'let it offer STARTTLS, and check KRE_SMTP_USER and KRE_SMTP_PASS',
    ]
  return ['took no mail', '']
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
