import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readSecrets } from './read-secrets.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-secrets-'))
})
afterEach(async () => rm(dir, { recursive: true, force: true }))

const given = async (name: string, text: string) => {
  const path = join(dir, `given-${name}`)
  await writeFile(path, text)
  return path
}

describe('the secrets of an engine', () => {
  test('are made once, and stay', async () => {
    const first = await readSecrets(dir)
    expect(await readSecrets(dir)).toEqual(first)
    expect((await readFile(join(dir, 'token'), 'utf8')).trim()).toBe(first.bootstrapToken)
  })
  test('are those that all engines of an installation are given, and no others are made', async () => {
    const token = 'T'.repeat(43)
    const files = {
      pepper: await given('pepper', `${'P'.repeat(43)}\n`),
      token: await given('token', ` ${token}\n`),
    }
    const secrets = await readSecrets(dir, files)
    expect(secrets.bootstrapToken).toBe(token)
    expect(await readSecrets(join(dir, 'another folder'), files)).toEqual(secrets)
    await expect(readFile(join(dir, 'token'), 'utf8')).rejects.toThrow(/ENOENT/)
  })
  test.each(['', 'short', `${'P'.repeat(43)} and more`])(
    'are refused without being shown when a file holds %j',
    async (text) => {
      const pepper = await given('pepper', text)
      const refused = readSecrets(dir, { pepper, token: null })
      await expect(refused).rejects.toMatchObject({
        code: 'failed-precondition',
        message: expect.stringContaining('KRE_PEPPER_FILE'),
      })
      await expect(refused).rejects.not.toThrow(/PPPP/)
    },
  )
  test('are refused when a file is not there: another one would sign everybody out', async () => {
    const files = { pepper: null, token: join(dir, 'nowhere') }
    await expect(readSecrets(dir, files)).rejects.toThrow(/KRE_TOKEN_FILE can't be read: .*ENOENT/)
  })
})
