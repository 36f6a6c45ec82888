/** Operations that may be named by the SHA-256 of their text, in the form of Apollo's clients. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { GraphQLError } from 'graphql'
import { z } from 'zod'
import { INVALID_DOCUMENT } from './to-graphql-error.ts'

/** Texts by digest: 64 hexadecimal digits. */
export type PersistedOperations = ReadonlyMap<string, string>

/** What a request sends of an operation, before anything of it was looked at. */
export type SentOperation = { readonly query?: unknown; readonly extensions?: unknown }

const Naming = z.looseObject({
  persistedQuery: z.looseObject({ sha256Hash: z.string().regex(/^[0-9a-f]{64}$/i) }),
})

/** The operations of the admin UI, which its generator writes down. */
export function readUiOperations(): PersistedOperations {
  const file = new URL(import.meta.resolve('@kre/contracts/ui-operations.json'))
  const texts = z.array(z.string()).parse(JSON.parse(readFileSync(file, 'utf8')))
  return new Map(texts.map((text) => [digestOf(text), text]))
}

/**
 * The text of the operation that a request sends or names.
 *
 * @param isRestricted whether the caller may ask for nothing but what is on the list.
 * @returns null = it does neither, which GraphQL's own check refuses.
 * @throws GraphQLError `PERSISTED_OPERATION_REQUIRED`, `PERSISTED_QUERY_NOT_FOUND` (Apollo's clients send the text then),
 * or for a digest that is none, or not that of the text.
 */
export function resolveOperation(
  list: PersistedOperations,
  { query, extensions }: SentOperation,
  isRestricted: boolean,
): string | null {
  const digest = digestIn(extensions)
  if (query === undefined || query === null || query === '') {
    if (digest === null) return null
    const known = list.get(digest)
    if (known === undefined) throw unknownDigest()
    return known
  }
  // The next check says what is wrong with it.
  if (typeof query !== 'string') return null
  const own = digest === null && !isRestricted ? null : digestOf(query)
  if (digest !== null && digest !== own)
    throw refusal(
      400,
      INVALID_DOCUMENT,
      'the digest is not that of the text: leave one of them out',
    )
  if (isRestricted && !list.has(own ?? '')) throw required()
  return query
}

function digestIn(extensions: unknown): string | null {
  if (typeof extensions !== 'object' || extensions === null) return null
  if (!('persistedQuery' in extensions) || extensions.persistedQuery === null) return null
  const naming = Naming.safeParse(extensions)
  if (naming.success) return naming.data.persistedQuery.sha256Hash.toLowerCase()
  throw refusal(
    400,
    INVALID_DOCUMENT,
    'extensions.persistedQuery.sha256Hash is no SHA-256 in hexadecimal',
  )
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function required(): GraphQLError {
  return refusal(
    403,
    'PERSISTED_OPERATION_REQUIRED',
    'a login by cookie may ask for the operations of the admin UI alone: send extensions.persistedQuery.sha256Hash of one of them, or your own text with an API token ("krectl token create"). The engine allows any text with KRE_PERSISTED_OPERATIONS=false',
  )
}

function unknownDigest(): GraphQLError {
  return refusal(
    404,
    'PERSISTED_QUERY_NOT_FOUND',
    'the engine has no operation of this digest: reload the page when it is the admin UI, which is older or newer than the engine; otherwise send the text',
  )
}

function refusal(status: number, code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status } } })
}
