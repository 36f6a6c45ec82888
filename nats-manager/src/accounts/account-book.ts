/**
 * The keys of the accounts that the engine has made. Before each use it is asked whether it is still what was read last:
 * an engine that takes over goes on with what the one before it wrote.
 */
import { KreError } from '@kre/contracts'
import { z } from 'zod'

const BookedAccount = z.object({
  /** Secret: who has it can make users of the account. */
  seed: z.string(),
  publicKey: z.string(),
  /** Digest of the claims that the server has last confirmed; empty = none yet. */
  claims: z.string(),
  /** When those were signed, in Unix seconds: the server takes no older ones, also when the clock was put back. */
  issuedAt: z.number().default(0),
})
export type BookedAccount = z.infer<typeof BookedAccount>

const BookedRuntime = z.object({
  account: BookedAccount,
  /** By name: the versions with processes. */
  versions: z.record(z.string(), BookedAccount),
})
export type BookedRuntime = z.infer<typeof BookedRuntime>

const Book = z.object({
  /** The engine's own; its seed is elsewhere. */
  engine: BookedAccount.pick({ claims: true, issuedAt: true }).default({ claims: '', issuedAt: 0 }),
  runtimes: z.record(z.string(), BookedRuntime),
})
type Book = z.infer<typeof Book>

export type AccountBook = {
  /** Null = it has no account. */
  read(runtimeId: string): Promise<BookedRuntime | null>
  /** Null removes it. */
  write(runtimeId: string, runtime: BookedRuntime | null): Promise<void>
  publicKeys(): Promise<Set<string>>
  engine(): Promise<Book['engine']>
  /** After a start: notes what the engine's account is, and that the server does not have the accounts of other keys than these. */
  confirm(engine: Book['engine'], publicKeys: ReadonlySet<string>): Promise<void>
}

/** Where the book is kept: one text. */
export type BookPage = {
  /** For people. */
  readonly name: string
  /** @returns which text is there now; null = nothing was ever written. Costs little, however long the text is. */
  revision(): Promise<string | null>
  /** Null = nothing was ever written. */
  read(): Promise<WrittenPage | null>
  /**
   * One at a time.
   *
   * @param before revision of the text that this one follows; null = none.
   * @returns its revision.
   * @throws Error when another one has been written meanwhile, where that can be told.
   */
  write(text: string, before: string | null): Promise<string>
}
export type WrittenPage = { readonly text: string; readonly revision: string }

export function openAccountBook(page: BookPage): AccountBook {
  let last: Promise<unknown> = Promise.resolve()
  /** Read-only: reading and checking thousands of accounts takes longer than what is done with one of them. */
  let known: { readonly book: Book; readonly revision: string | null } | null = null

  const load = async (): Promise<NonNullable<typeof known>> => {
    if (known !== null && (await page.revision()) === known.revision) return known
    const found = await page.read()
    const book = parse(found?.text ?? null)
    return (known = { book, revision: found?.revision ?? null })
  }
  const parse = (text: string | null): Book => {
    const parsed = Book.safeParse(text === null ? { runtimes: {} } : parseJson(text))
    if (parsed.success) return parsed.data
    throw new KreError(
      'failed-precondition',
      `${page.name} is damaged, so the NATS accounts of running versions are not known. Stop all versions, remove it, and start them again`,
    )
  }

  const change = (next: (book: Book) => Book): Promise<void> => {
    const written = last.then(async () => {
      const before = await load()
      const book = next(before.book)
      // Nobody knows what is there when the write fails.
      known = null
      known = { book, revision: await page.write(JSON.stringify(book), before.revision) }
    })
    last = written.catch(() => undefined) // told to its caller
    return written
  }

  return {
    read: async (runtimeId) => (await load()).book.runtimes[runtimeId] ?? null,
    write: (runtimeId, runtime) =>
      change((book) => {
        const others = Object.entries(book.runtimes).filter(([id]) => id !== runtimeId)
        const own = runtime === null ? [] : [[runtimeId, runtime] as const]
        return { ...book, runtimes: Object.fromEntries([...others, ...own]) }
      }),
    async publicKeys() {
      const { runtimes } = (await load()).book
      const accounts = Object.values(runtimes).flatMap(({ account, versions }) => [
        account,
        ...Object.values(versions),
      ])
      return new Set(accounts.map(({ publicKey }) => publicKey))
    },
    engine: async () => (await load()).book.engine,
    confirm: ({ claims, issuedAt }, publicKeys) =>
      change(({ runtimes }) => {
        const checked = (account: BookedAccount) =>
          publicKeys.has(account.publicKey) ? account : { ...account, claims: '' }
        const entries = Object.entries(runtimes).map(([id, { account, versions }]) => {
          const own = Object.entries(versions).map(([name, one]) => [name, checked(one)] as const)
          return [id, { account: checked(account), versions: Object.fromEntries(own) }] as const
        })
        return { engine: { claims, issuedAt }, runtimes: Object.fromEntries(entries) }
      }),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // refused by the schema
  }
}
