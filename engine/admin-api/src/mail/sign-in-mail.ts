import { MINUTE_MS } from '@kre/contracts'
import { SIGN_IN_LINK_MS } from '../sign-in/sign-in-links.ts'
import type { Mail } from './mailer.ts'

/** The mail that carries a sign-in link. Nothing of the request is in it: nobody can make us mail their words. */
export function signInMail(to: string, url: string): Mail {
  const text = [
    'Somebody asked to sign in to KRE with this e-mail address. If it was you, open this link:',
    '',
    url,
    '',
    `It works once, within ${SIGN_IN_LINK_MS / MINUTE_MS} minutes, in the browser where you asked for it.`,
    'In any other browser it asks for the code that the first one shows.',
    '',
    'If it was not you, ignore this mail: without it nobody can sign in.',
    '',
  ].join('\n')
  return { to, subject: 'Sign in to KRE', text }
}
