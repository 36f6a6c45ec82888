import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type BookedRuntime, type BookPage, openAccountBook } from './account-book.ts'
import { filePage } from './book-pages.ts'

let dir: string
let file: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-book-'))
  file = join(dir, 'accounts.json')
})
afterEach(async () => rm(dir, { recursive: true, force: true }))

const account = (key: string) => ({ seed: `S${key}`, publicKey: key, claims: 'c', issuedAt: 1 })
const runtime = (key: string): BookedRuntime => ({
  account: account(key),
  versions: { v1: account(`${key}1`) },
})

/** The page, with what is asked of it. */
function counted(page: BookPage): BookPage & { reads: number } {
  const own = { ...page, reads: 0, read: async () => ((own.reads += 1), page.read()) }
  return own
}

describe('the book of accounts', () => {
  test('is read once, however often somebody looks something up', async () => {
    const page = counted(filePage(file))
    const book = openAccountBook(page)
    await book.write('a', runtime('A'))
    await book.write('b', runtime('B'))
    expect(await book.read('a')).toEqual(runtime('A'))
    expect(await book.read('c')).toBeNull()
    expect(await book.publicKeys()).toEqual(new Set(['A', 'A1', 'B', 'B1']))
    expect(page.reads).toBe(1)
  })

  test('is read again when another engine has written it', async () => {
    const [first, second] = [openAccountBook(filePage(file)), openAccountBook(filePage(file))]
    await first.write('a', runtime('A'))
    await second.write('b', runtime('B'))
    expect(await first.read('b')).toEqual(runtime('B'))
    await first.write('a', null)
    expect(await second.read('a')).toBeNull()
    expect(await second.read('b')).toEqual(runtime('B'))
  })

  test('is read again after a write that failed, and takes the next one', async () => {
    const page = filePage(file)
    let fails = false
    const book = openAccountBook({
      ...page,
      write: async (text, before) => {
        if (fails) throw new Error('no room')
        return page.write(text, before)
      },
    })
    await book.write('a', runtime('A'))
    fails = true
    await expect(book.write('b', runtime('B'))).rejects.toThrow('no room')
    expect(await book.read('b')).toBeNull()
    fails = false
    await book.write('c', runtime('C'))
    expect(await openAccountBook(page).publicKeys()).toEqual(new Set(['A', 'A1', 'C', 'C1']))
  })

  test('takes changes asked for at once one after the other', async () => {
    const book = openAccountBook(filePage(file))
    await Promise.all(['a', 'b', 'c'].map(async (id) => book.write(id, runtime(id))))
    expect((await book.publicKeys()).size).toBe(6)
  })

  test('is refused when somebody has damaged it', async () => {
    const book = openAccountBook(filePage(file))
    await book.write('a', runtime('A'))
    await writeFile(file, '{"runtimes":')
    await expect(book.read('a')).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining(file),
    })
  })
})
