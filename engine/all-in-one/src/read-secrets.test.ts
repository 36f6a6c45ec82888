import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { findOtherPepper, takeOverPepper } from '@kre/admin-api'
import { createLogger } from '@kre/service-kit'
import { openSqliteStore, type AuditLink, type AuditStore } from '@kre/store'
import { readSecrets, resetPepper, type GivenSecrets } from './read-secrets.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-secrets-'))
})
afterEach(async () => rm(dir, { recursive: true, force: true }))

const OWN: GivenSecrets = { pepper: null, token: null }
const read = (dataDir: string, given = OWN, audit: Pick<AuditStore, 'newest'> = UNUSED) =>
  readSecrets({ dataDir, given, audit })
const UNUSED = { newest: async () => null }

const given = async (name: string, text: string) => {
  const path = join(dir, `given-${name}`)
  await writeFile(path, text)
  return path
}

describe('the secrets of an engine', () => {
  test('are made once, and stay', async () => {
    const first = await read(dir)
    expect(await read(dir)).toEqual(first)
    expect((await readFile(join(dir, 'token'), 'utf8')).trim()).toBe(first.bootstrapToken)
  })
  test('are those that all engines of an installation are given, and no others are made', async () => {
    const token = 'T'.repeat(43)
    const files = {
      pepper: await given('pepper', `${'P'.repeat(43)}\n`),
      token: await given('token', ` ${token}\n`),
    }
    const secrets = await read(dir, files)
    expect(secrets.bootstrapToken).toBe(token)
    expect(await read(join(dir, 'another folder'), files)).toEqual(secrets)
    await expect(readFile(join(dir, 'token'), 'utf8')).rejects.toThrow(/ENOENT/)
  })
  test.each(['', 'short', `${'P'.repeat(43)} and more`])(
    'are refused without being shown when a file holds %j',
    async (text) => {
      const pepper = await given('pepper', text)
      const refused = read(dir, { pepper, token: null })
      await expect(refused).rejects.toMatchObject({
        code: 'failed-precondition',
        message: expect.stringContaining('KRE_PEPPER_FILE'),
      })
      await expect(refused).rejects.not.toThrow(/PPPP/)
    },
  )
  test('are refused when a file is not there: another one would sign everybody out', async () => {
    const files = { pepper: null, token: join(dir, 'nowhere') }
    await expect(read(dir, files)).rejects.toThrow(/KRE_TOKEN_FILE can't be read: .*ENOENT/)
  })
})

describe('the pepper of a store with an audit log', () => {
  const path = () => join(dir, 'pepper')
  const now = () => new Date()
  const keyIdOf = async (pepper: Buffer) =>
    (await findOtherPepper({ newest: async () => ({ keyId: '' }) as AuditLink }, pepper))?.own ?? ''
  /** A folder whose log was begun with its pepper. */
  async function used() {
    const store = await openSqliteStore({
      dataDir: dir,
      logger: createLogger('test', { level: 'silent' }),
    })
    const { audit } = store
    const before = await read(dir)
    const link = {
      seq: 1,
      kind: 'notice',
      intentSeq: 1,
      at: now(),
      actor: '',
      type: 'X',
      runtimeId: null,
      versionId: null,
      body: '{}',
      keyId: await keyIdOf(before.pepper),
      prevHash: '0'.repeat(64),
      hash: '1'.repeat(64),
    } as const
    await audit.append(link, { seq: 1, hash: link.hash, mac: '2'.repeat(64) })
    return { store, audit, before }
  }

  test.each<[string, () => Promise<void>, RegExp]>([
    ['gone', () => rm(path()), /pepper .* is gone.*put back a copy.*krectl keys reset/],
    ['empty', () => writeFile(path(), ''), /is damaged.*put back a copy/],
    ['cut', () => writeFile(path(), 'abc'), /is damaged.*put back a copy/],
    [
      'another one',
      () => writeFile(path(), 'Q'.repeat(43)),
      /\(key [0-9a-f]{8}\) is not the one that .* made with \(key [0-9a-f]{8}\).*put back a copy/,
    ],
  ])('is never replaced by itself: %s', async (_, lose, message) => {
    const { store, audit, before } = await used()
    await using _store = store
    const kept = await readFile(path())
    await lose()
    await expect(read(dir, OWN, audit)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringMatching(message),
    })
    await writeFile(path(), kept)
    expect(await read(dir, OWN, audit)).toEqual(before)
  })

  test.each<[string, () => Promise<void>, string]>([
    ['gone', () => rm(path()), 'made'],
    ['damaged', () => writeFile(path(), 'abc'), 'made'],
    ['another one', () => writeFile(path(), 'Q'.repeat(43)), 'taken'],
    ['as it was', async () => undefined, 'kept'],
  ])('is given up by hand: %s', async (what, lose, became) => {
    const { store, audit } = await used()
    await using _store = store
    await lose()
    const reset = await resetPepper({ dataDir: dir, given: OWN, audit })
    expect(reset.became).toBe(became)
    await takeOverPepper({ audit, now }, reset.pepper)
    expect((await read(dir, OWN, audit)).pepper).toEqual(reset.pepper)
    const says = (await audit.read(1, 10)).filter(({ body }) => body.includes('pepper-replaced'))
    expect(says).toHaveLength(became === 'kept' ? 0 : 1)
    if (what === 'damaged') expect(await readFile(`${path()}.damaged`, 'utf8')).toBe('abc')
  })
})
