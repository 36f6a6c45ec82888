import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readEngineRecord } from '@kre/service-kit'
import { claimDataDir, DataDirBusy } from './claim-data-dir.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'claim ü-'))
})
afterEach(async () => rm(dir, { recursive: true }))

describe('claimDataDir', () => {
  test('gives the folder to one process, and to the next when that is gone by force', async () => {
    const module = new URL('claim-data-dir.ts', import.meta.url).href
    const script = `const { claimDataDir } = await import(${JSON.stringify(module)})
      const claim = await claimDataDir(${JSON.stringify(dir)})
      await claim.write('http://localhost:1')
      process.stdout.write('claimed')
      setInterval(() => undefined, 1_000)`
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(other.stdout, 'data')
    const refused = await claimDataDir(dir).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(DataDirBusy)
    expect(refused).toMatchObject({ message: expect.stringContaining(`(process ${other.pid})`) })

    other.kill('SIGKILL')
    await once(other, 'exit')
    const claim = await claimDataDir(dir)
    expect(await readEngineRecord(dir)).toMatchObject({ pid: process.pid, adminUrl: null })
    await claim.release()
    expect(await readEngineRecord(dir)).toBeNull()
  })

  test('is granted to exactly one of many at once', async () => {
    const claims = await Promise.allSettled(Array.from({ length: 8 }, () => claimDataDir(dir)))
    const granted = claims.filter((claim) => claim.status === 'fulfilled')
    expect(granted).toHaveLength(1)
    await granted[0]?.value.release()
  })

  test('does not mind garbage in the place of its files', async () => {
    await writeFile(join(dir, 'engine.lock'), 'x'.repeat(5_000))
    await writeFile(join(dir, 'engine.json'), '{"pid')
    const claim = await claimDataDir(dir)
    await claim.write('http://localhost:1')
    await writeFile(join(dir, 'engine.json'), '')
    await claim.mend()
    expect(await readEngineRecord(dir)).toMatchObject({ adminUrl: 'http://localhost:1' })
    await claim.release()
    await claim.mend()
    expect(await readEngineRecord(dir)).toBeNull()
  })

  test('is on record whatever writes at once', async () => {
    const claim = await claimDataDir(dir)
    for (let i = 0; i < 20; i++) {
      await writeFile(join(dir, 'engine.json'), 'damaged')
      const url = `http://localhost:${i}`
      await Promise.all([claim.mend(), claim.write(url), claim.mend(), claim.mend()])
      expect(await readEngineRecord(dir)).toMatchObject({ adminUrl: url })
    }
    await claim.release()
  })

  test('takes its lock again when somebody removed that', async () => {
    const claim = await claimDataDir(dir)
    await rm(join(dir, 'engine.lock'))
    expect(await claim.mend()).toBe(true)
    await expect(claimDataDir(dir)).rejects.toThrow(DataDirBusy)
    await claim.release()
  })

  test('takes its lock again when another process got hold of a new one, and gave it back', async () => {
    const claim = await claimDataDir(dir)
    await rm(join(dir, 'engine.lock'))
    const other = await claimDataDir(dir)
    expect(await claim.mend()).toBe(true)
    await other.release()
    expect(await claim.mend()).toBe(true)
    await expect(claimDataDir(dir)).rejects.toThrow(DataDirBusy)
    expect(await readEngineRecord(dir)).toMatchObject({ pid: process.pid })
    await claim.release()
  })

  test('is lost when the folder is removed, or is another one', async () => {
    const folder = join(dir, 'data')
    await mkdir(folder)
    const claim = await claimDataDir(folder)
    await rename(folder, join(dir, 'moved'))
    expect(await claim.mend()).toBe(false)
    await mkdir(folder)
    expect(await claim.mend()).toBe(false)
    await claim.release()
  })
})
