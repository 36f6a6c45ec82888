import type { IdentityStore } from '@kre/store'
import type { Logger } from '@kre/service-kit'
import { publicAddress } from '../http/public-address.ts'
import type { Mailer } from '../mail/mailer.ts'
import { signInMail } from '../mail/sign-in-mail.ts'
import type { WorkQueue } from '../mail/work-queue.ts'
import { admit } from './admit.ts'
import type { SignInLinks } from './sign-in-links.ts'
import { createCode, createToken, TOKEN } from './tokens.ts'

type RequestLinkDeps = {
  identity: IdentityStore
  links: SignInLinks
  queue: WorkQueue
  mailer: Mailer
  publicUrl: () => string
  logger: Logger
}

/**
 * Mails a sign-in link to whoever may sign in, later. Here nothing depends on who that is: the answer and the time it
 * takes are the same for every address.
 *
 * @param nonce what the browser was given at an earlier request, if it was.
 * @returns the nonce that the link will be bound to, and the code for another browser.
 */
export function requestLink(
  deps: RequestLinkDeps,
  { email, nonce }: { email: string; nonce: string | null },
): { nonce: string; code: string } {
  const bound = {
    token: createToken(),
    user: email,
    nonce: nonce !== null && TOKEN.test(nonce) ? nonce : createToken(),
    code: createCode(),
  }
  let isMade = false
  deps.queue.add(async () => {
    const [user, settings] = await Promise.all([
      deps.identity.users.find(email),
      deps.identity.settings.get(),
    ])
    if (admit(email, user, settings) === 'refused') {
      deps.logger.info('a sign-in link was asked for an address that may not sign in')
      return
    }
    if (!isMade) await deps.links.issueBound(bound)
    isMade = true
    const url = publicAddress(deps.publicUrl(), `/signin/${bound.token}`).href
    await deps.mailer.send(signInMail(email, url))
  })
  return { nonce: bound.nonce, code: bound.code }
}
