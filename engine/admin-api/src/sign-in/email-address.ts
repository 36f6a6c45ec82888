import { z } from 'zod'

/** RFC 5321: the longest address a mail can be sent to. */
const EMAIL_CHARS_MAX = 254
/** Printable ASCII without quotes, spaces and what headers or lists are made of: no legal address of a mailbox in use needs them. */
const EMAIL =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])$/

/** An e-mail address, in lower case: it is a user's identity, and only there addresses are told apart. */
export const EmailAddress = z
  .string()
  .transform((text) => text.trim().toLowerCase())
  .refine((text) => text.length <= EMAIL_CHARS_MAX && EMAIL.test(text) && text.indexOf('@') <= 64, {
    error: "Does not match format 'email'",
  })

const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/

/** What stands behind the `@` of addresses; subdomains are others. */
export const EmailDomain = z
  .string()
  .transform((text) => text.trim().toLowerCase())
  .refine((text) => text.length <= 253 && DOMAIN.test(text), {
    error: 'write a domain as in example.com, without "@"',
  })

export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1)
}
