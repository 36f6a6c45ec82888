import { SECOND_MS } from '@kre/contracts'
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
const CONNECT_TIMEOUT_MS = 10 * SECOND_MS
const SILENCE_TIMEOUT_MS = 30 * SECOND_MS

/** Mails by SMTP, over one connection at a time that is kept for a while. The first mail loads what sends it. */
export function createSmtpMailer(settings: SmtpSettings): Mailer {
  const { sender, senderName } = settings
  let opened: Promise<Transporter> | null = null
  return {
    async send({ to, subject, text }) {
      const transport = await (opened ??= openTransport(settings))
      await transport.sendMail({
        from: { name: senderName, address: sender },
        to: { name: '', address: to },
        subject,
        text,
        // RFC 3834: no answering machine answers it.
        headers: { 'Auto-Submitted': 'auto-generated' },
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

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
