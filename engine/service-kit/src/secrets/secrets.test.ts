import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger } from '../logger.ts'
import { fingerprint } from './fingerprint.ts'
import { maskValues } from './mask-values.ts'
import { formatMasterKeys, makeMasterKey, parseMasterKeys } from './master-keys.ts'
import { openKeyRing } from './open-key-ring.ts'
import { Secret } from './secret.ts'

const CANARY = 'CANARY-0123456789'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-keys-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('a secret shows itself to nobody who does not ask for it', () => {
  const secret = new Secret(CANARY)
  const lines: string[] = []
  const logger = createLogger('test', { destination: { write: (line) => void lines.push(line) } })
  logger.info({ secret, deep: { secret } }, `said ${String(secret)}`)
  const shown = [
    String(secret),
    // oxlint-disable-next-line restrict-template-expressions -- the mistake that this type is for
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    format('%s %o %j', secret, secret, secret),
    JSON.stringify(Object.entries(secret)),
    // oxlint-disable-next-line no-misused-spread -- another one
    JSON.stringify({ ...secret }),
    ...lines,
  ]
  expect(shown.join('')).not.toContain(CANARY)
  expect(shown[0]).toBe('<secret>')
  expect(secret.reveal()).toBe(CANARY)
})

describe('masking', () => {
  const mask = maskValues([
    ['SHORT', 'prod'],
    ['TOKEN', CANARY],
    ['LONGER', `${CANARY}-and-more`],
    ['REGEX', 'a.*b(c)[d]$'],
    ['FILE', 'first line of key\nsecond line of key\n'],
  ])
  test.each([
    [`token=${CANARY}!`, 'token=<secret:TOKEN>!'],
    [`${CANARY}-and-more ${CANARY}`, '<secret:LONGER> <secret:TOKEN>'],
    ['prod stays', 'prod stays'],
    ['axxbcd and a.*b(c)[d]$', 'axxbcd and <secret:REGEX>'],
    ['one: second line of key', 'one: <secret:FILE>'],
    ['first line of key\nsecond line of key', '<secret:FILE>'],
    ['', ''],
  ])('replaces configured values of eight characters and more: %j', (text, masked) => {
    expect(mask(text)).toBe(masked)
  })
})

test('a fingerprint is equal for equal values of a place, and nothing without its key', () => {
  const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  expect(fingerprint(key, ['demo', 'A'], 'x')).toMatch(/^[0-9a-f]{8}$/)
  expect(fingerprint(key, ['demo', 'A'], 'x')).toBe(fingerprint(key, ['demo', 'A'], 'x'))
  const others = [
    fingerprint(key, ['demo', 'A'], 'y'),
    fingerprint(key, ['demo', 'B'], 'x'),
    fingerprint(key, ['demoA'], 'x'),
    fingerprint(other, ['demo', 'A'], 'x'),
  ]
  expect(new Set([...others, fingerprint(key, ['demo', 'A'], 'x')]).size).toBe(5)
})

describe('the master key file', () => {
  const openIn = (file: string | null = null, sealed = false, text: Secret | null = null) =>
    openKeyRing({ text, file, dataDir: dir }, async () => sealed)

  test('is made at the first start for its owner alone, and read ever after', async () => {
    const { ring, source } = await openIn()
    expect(source).toBe(join(dir, 'master-key'))
    expect((await stat(source)).mode & 0o777).toBe(0o600)
    expect((await openIn(null, true)).ring.current.id).toBe(ring.current.id)
    expect(await readdir(dir)).toEqual(['master-key'])
  })

  test('is not made when values are there that need the one that is gone', async () => {
    await expect(openIn(null, true)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringMatching(/is gone.*put back a copy.*krectl keys reset/),
    })
    expect(await readdir(dir)).toEqual([])
    await expect(openIn(join(dir, 'wanted'))).rejects.toThrow('is not there')
  })

  test.each([0o644, 0o604, 0o602, 0o620, 0o666])(
    'is refused when others may use it (mode %o), with the way out',
    async (mode) => {
      const { source } = await openIn()
      await chmod(source, mode)
      await expect(openIn()).rejects.toMatchObject({
        code: 'failed-precondition',
        message: expect.stringContaining(`chmod 600 ${source}`),
      })
    },
  )

  test('is refused when it is a folder', async () => {
    await expect(openIn(dir)).rejects.toThrow(`the master key in ${dir}: it is no file`)
  })

  test('may be read by a group, as Kubernetes mounts it', async () => {
    const { source } = await openIn()
    await chmod(source, 0o440)
    await openIn(source)
  })

  test.each([
    '',
    '# nothing\n',
    'short',
    `${'A'.repeat(42)}!`,
    `${'zz'.repeat(32)}`,
    '\0'.repeat(64),
  ])('is refused when it is damaged (%#), and is not quoted', async (content) => {
    const path = join(dir, 'master-key')
    await writeFile(path, content, { mode: 0o600 })
    const error = await openIn().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining(path),
    })
    if (content.length > 8) expect(String(error)).not.toContain(content)
    expect(await readFile(path, 'utf8')).toBe(content)
  })

  test('holds keys in base64 or hexadecimal, the one in force first, none twice', async () => {
    const [a, b] = [makeMasterKey(), makeMasterKey()]
    const text = `${b.bytes.toString('hex')}\n\n # old\n${a.bytes.toString('base64')}\n${b.bytes.toString('base64url')}\n`
    expect(parseMasterKeys(text, 'test').map(({ id }) => id)).toEqual([b.id, a.id])
    expect(parseMasterKeys(formatMasterKeys([b, a]), 'test').map(({ id }) => id)).toEqual([
      b.id,
      a.id,
    ])
    const opened = await openIn(null, false, new Secret(b.bytes.toString('base64')))
    expect(opened).toMatchObject({ source: 'KRE_MASTER_KEY', save: null })
    await expect(openIn('/x', false, new Secret('y'))).rejects.toThrow('both set')
  })
})
