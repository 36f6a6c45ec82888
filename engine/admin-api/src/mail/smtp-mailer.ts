import { KreError, SECOND_MS } from '@kre/contracts'
import type { Transporter } from 'nodemailer'
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
        throw notSent(error)
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

/** Filters of servers quote what they don't like: links, with the tokens in them, which are for nobody's log. */
function notSent(error: unknown): KreError {
  const words = error instanceof Error ? error.message : String(error)
  const status: unknown = error instanceof Error && Reflect.get(error, 'responseCode')
  // RFC 5321: 4xx is for now, 5xx for good.
  const isFinal = typeof status === 'number' && status >= 500
  return new KreError(
    isFinal ? 'failed-precondition' : 'unavailable',
    `the mail server took no mail: ${words.replace(LONG_WORDS, '<token>')}`,
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
