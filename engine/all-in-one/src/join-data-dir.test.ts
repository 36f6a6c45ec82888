import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readEngineRecord, readEngineRecords } from '@kre/service-kit'
import { claimDataDir } from './claim-data-dir.ts'
import { joinDataDir } from './join-data-dir.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'join ü-'))
})
afterEach(async () => rm(dir, { recursive: true }))

/** Another process that joins the folder, and says so. */
async function joinElsewhere(): Promise<ReturnType<typeof spawn>> {
  const module = new URL('join-data-dir.ts', import.meta.url).href
  const script = `const { joinDataDir } = await import(${JSON.stringify(module)})
    const member = await joinDataDir(${JSON.stringify(dir)})
    await member.write('http://localhost:2')
    process.stdout.write(member.name)
    setInterval(() => undefined, 1_000)`
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(other.stdout, 'data')
  return other
}

describe('joinDataDir', () => {
  test('gives each engine a number, and the lowest free one to the next', async () => {
    const members = await Promise.all([1, 2, 3].map(() => joinDataDir(dir)))
    expect(new Set(members.map(({ name }) => name))).toEqual(
      new Set(['engine', 'engine-2', 'engine-3']),
    )
    await members.find(({ name }) => name === 'engine-2')?.release()
    const next = await joinDataDir(dir)
    expect(next.name).toBe('engine-2')
    for (const member of [...members, next]) await member.release().catch(() => 'it was given back')
  })

  test('refuses more engines than the folder takes', async () => {
    const members = await Promise.all(Array.from({ length: 8 }, () => joinDataDir(dir)))
    await expect(joinDataDir(dir)).rejects.toMatchObject({ code: 'resource-exhausted' })
    for (const member of members) await member.release()
  })

  test('knows the others as long as they live', async () => {
    const member = await joinDataDir(dir)
    expect(await member.others()).toEqual([])
    const other = await joinElsewhere()
    expect(await member.others()).toMatchObject([
      { pid: other.pid, adminUrl: 'http://localhost:2' },
    ])
    other.kill('SIGKILL')
    await once(other, 'exit')
    expect(await member.others()).toEqual([])
    await member.release()
  })

  test('shows the one that leads last, and any other to speak to while none does', async () => {
    const other = await joinElsewhere()
    const claim = await claimDataDir(dir)
    expect((await readEngineRecords(dir)).map(({ pid }) => pid)).toEqual([other.pid, process.pid])
    expect(await readEngineRecord(dir)).toMatchObject({ pid: process.pid })
    await claim.release()
    expect(await readEngineRecord(dir)).toMatchObject({ pid: other.pid })
    await writeFile(join(dir, 'engine.json'), '{"pid"')
    expect(await readEngineRecord(dir)).toMatchObject({ pid: other.pid })
    other.kill('SIGKILL')
    await once(other, 'exit')
    expect(await readEngineRecords(dir)).toEqual([])
  })

  test('sees that the folder is another one', async () => {
    const member = await joinDataDir(dir)
    expect(await member.isThere()).toBe(true)
    await rm(join(dir, 'engines'), { recursive: true })
    expect(await member.isThere()).toBe(false)
    await member.release()
  })
})
