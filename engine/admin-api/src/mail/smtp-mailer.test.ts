import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { makeAuthority } from '@kre/service-kit/testing'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { createSmtpMailer } from './smtp-mailer.ts'

const refusal = (responseCode: number, text: string) =>
  Object.assign(new Error(text), { responseCode })
const CERTIFICATE = makeAuthority('nobody').issue('mail', { names: ['127.0.0.1'] })
const WITHOUT_TLS: SMTPServerOptions = { disabledCommands: ['STARTTLS'] }

/** What a mail ends with at a server with these options. */
async function send(options: SMTPServerOptions, user: string, host = '127.0.0.1') {
  const server = new SMTPServer({
    ...CERTIFICATE,
    authOptional: true,
    onAuth: (_auth, _session, done) => done(refusal(535, 'who are you')),
    onMailFrom: (_address, { secure }, done) =>
      done(secure ? null : refusal(530, 'STARTTLS first')),
    ...options,
  })
  // A client that goes away is no failure of the server.
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.server.address() as AddressInfo
  const sender = { sender: 'kre@kre.io', senderName: 'KRE', user, pass: 'secret' }
  const mailer = createSmtpMailer({ host, port, ...sender })
  try {
    const sent = mailer.send({ to: 'ada@kre.io', subject: 's', text: 't' })
    const { code, message } = await sent.then(
      () => ({ code: 'sent', message: '' }),
      (error: { code: string; message: string }) => error,
    )
    return { code, message: message.replace(String(port), 'PORT') }
  } finally {
    mailer.close()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
}

test('a certificate that nobody vouches for is refused, and where to name who does is said', async () => {
  expect(await send({}, '')).toEqual({
    code: 'unavailable',
    message: expect.stringMatching(
      /^the mail server 127\.0\.0\.1:PORT shows a certificate that .*: .*certificate.*; it has to be good for "127\.0\.0\.1".*NODE_EXTRA_CA_CERTS/,
    ),
  })
})

test.each([
  [
    'refuses the user',
    { ...WITHOUT_TLS, allowInsecureAuth: true },
    'kre',
    /refuses the user name or the password: .*535 who are you; check KRE_SMTP_USER and/,
  ],
  ['demands STARTTLS and has none', WITHOUT_TLS, '', /wants TLS or a sign-in first: .*530.*; let/],
  [
    'demands a sign-in',
    { ...WITHOUT_TLS, authOptional: false },
    '',
    /wants TLS or a sign-in first: .*530.*KRE_SMTP_USER/,
  ],
])('a server that %s is told from others', async (_name, options, user, message) => {
  expect(await send(options, user)).toEqual({
    code: 'failed-precondition',
    message: expect.stringMatching(message),
  })
})

test('a password goes to no server of another computer without TLS', async () => {
  const { code, message } = await send(WITHOUT_TLS, 'kre', '::ffff:127.0.0.1')
  expect(message).toMatch(/does not begin TLS, .*: .*STARTTLS.*; .*KRE_SMTP_PORT=465/)
  expect(code).toBe('failed-precondition')
})
