import type { AddressInfo } from 'node:net'
import { waitUntil } from '@kre/service-kit'
import { SMTPServer } from 'smtp-server'

export type MailServer = Awaited<ReturnType<typeof startMailServer>>

/** A real SMTP server on a free port, which keeps what it is sent. */
export async function startMailServer() {
  const mails: { to: string[]; text: string }[] = []
  let refusals = 0
  let hasFilter = false
  let filtered = 0
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo(_address, _session, done) {
      if (refusals === 0) return done()
      refusals -= 1
      done(Object.assign(new Error('try again later'), { responseCode: 451 }))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        // Soft line ends of quoted-printable would cut links in two.
        const text = Buffer.concat(chunks).toString().replace(/=\r\n/g, '').replaceAll('=3D', '=')
        if (!hasFilter) {
          mails.push({ to, text })
          return done()
        }
        filtered += 1
        const refusal = new Error(`blocked: ${/https?:\S+/.exec(text)?.[0]}`)
        done(Object.assign(refusal, { responseCode: 554 }))
      })
    },
  })
  // A client that goes away is no failure of the server.
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.server.address() as AddressInfo

  return {
    port,
    mails,
    refuseNext(count: number) {
      refusals = count
    },
    /** Refuses mails with links for good from now on, and quotes them; returns how often it did. */
    filterLinks(): () => number {
      hasFilter = true
      return () => filtered
    },
    /** Waits for mail number `count` and returns the path of the link in it. */
    async link(count: number): Promise<string> {
      await waitUntil(`mail ${count}`, () => mails.length >= count)
      const url = /https?:\/\/\S+\/signin\/[A-Za-z0-9_-]{43}/.exec(
        mails[count - 1]?.text ?? '',
      )?.[0]
      return new URL(url ?? '').pathname
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
