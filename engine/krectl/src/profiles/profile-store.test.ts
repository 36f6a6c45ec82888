import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { openProfiles, type Profile, type Profiles } from './profile-store.ts'

let home = ''
let profiles: Profiles

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'krectl-profiles-'))
  profiles = openProfiles({ HOME: home })
})
afterEach(() => rm(home, { recursive: true, force: true }))

const prod: Profile = {
  name: 'prod',
  url: 'https://kre.example',
  token: 'a-secret-token',
  ca: null,
  insecureHttp: false,
}
const add = (name: string) => profiles.save({ ...prod, name }, { replace: false })

describe('profiles', () => {
  test('are kept below the configuration folder, for their owner alone', async () => {
    await add('prod')
    const folder = join(home, '.config/kre/profiles')
    expect(await readdir(folder)).toEqual(['prod.json'])
    expect((await stat(join(folder, 'prod.json'))).mode & 0o777).toBe(0o600)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect(await profiles.find('prod')).toEqual(prod)
    expect(await profiles.list()).toEqual([prod])
  })

  test('follow XDG_CONFIG_HOME where it is absolute', async () => {
    const other = join(home, 'elsewhere')
    await openProfiles({ HOME: home, XDG_CONFIG_HOME: other }).save(prod, { replace: false })
    expect(await readdir(join(other, 'kre/profiles'))).toEqual(['prod.json'])
    expect(await openProfiles({ HOME: home, XDG_CONFIG_HOME: 'relative' }).list()).toEqual([])
  })

  test('of one name are replaced only when asked to', async () => {
    await add('prod')
    await expect(add('prod')).rejects.toMatchObject({ code: 'already-exists' })
    await profiles.save({ ...prod, url: 'https://new.example' }, { replace: true })
    expect(await profiles.find('prod')).toMatchObject({ url: 'https://new.example' })
  })

  test('that are added at once are all there, and of one name one wins', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`)
    await Promise.all(names.map(add))
    expect((await profiles.list()).map(({ name }) => name).toSorted()).toEqual(names.toSorted())
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => add('same')))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await readdir(join(home, '.config/kre/profiles'))).toHaveLength(21)
  })

  test('are current until they are removed', async () => {
    expect(await profiles.current()).toBeNull()
    await add('prod')
    await profiles.use('prod')
    expect(await profiles.current()).toBe('prod')
    expect(await profiles.remove('prod')).toBe(true)
    expect(await profiles.current()).toBeNull()
    expect(await profiles.remove('prod')).toBe(false)
  })

  test('that others can use, or that are damaged, are refused', async () => {
    await add('prod')
    const file = join(home, '.config/kre/profiles/prod.json')
    await chmod(file, 0o640)
    await expect(profiles.find('prod')).rejects.toThrow('chmod 600')
    await chmod(file, 0o600)
    for (const text of ['', '{', '{"url": 1}', '[]', 'null']) {
      await writeFile(file, text)
      await expect(profiles.find('prod')).rejects.toThrow('is damaged')
    }
  })

  test.each(['', '../x', 'a/b', 'Ä', 'UPPER', '-x', '.x', 'x'.repeat(33), 'local', 'a\nb'])(
    'are not called %j',
    async (name) => {
      await expect(add(name)).rejects.toMatchObject({ code: 'invalid-argument' })
    },
  )

  test('need a place', async () => {
    const homeless = openProfiles({})
    expect(await homeless.current()).toBeNull()
    expect(await homeless.list()).toEqual([])
    await expect(homeless.save(prod, { replace: false })).rejects.toThrow('set HOME')
  })
})
