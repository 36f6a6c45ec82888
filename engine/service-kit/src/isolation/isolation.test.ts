import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isolatedCommand, type IsolatedView } from './isolated-command.ts'
import { probeIsolation } from './probe-isolation.ts'

const run = promisify(execFile)
const { kind } = await probeIsolation(process.env)
/** Skips, visibly, where the system can't isolate. */
const describeIsolated = kind === 'none' ? describe.skip : describe
const uid = kind === 'own-user' ? 1_950_000_123 : null

let home: string
beforeAll(() => {
  home = mkdtempSync(join(realpathSync(tmpdir()), 'kre ü:isolation-'))
  for (const name of ['stage', 'shown', 'own', 'secret']) mkdirSync(join(home, name))
  for (const name of ['shown', 'own', 'secret']) writeFileSync(join(home, name, 'file'), name)
  writeFileSync(join(home, 'single'), 'single')
  chmodSync(join(home, 'shown'), 0o755)
  if (uid !== null) chmodSync(join(home, 'own'), 0o777)
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

async function inside(script: string, changes: Partial<IsolatedView> = {}): Promise<string> {
  const view: IsolatedView = {
    stage: join(home, 'stage'),
    cwd: join(home, 'shown'),
    hide: [home],
    readOnly: [join(home, 'shown'), join(home, 'single')],
    writable: [join(home, 'own')],
    ...changes,
  }
  const command = ['/bin/sh', '-c', script, home]
  if (kind === 'none') throw new Error('not here')
  const [file = '', ...args] = isolatedCommand(kind, view, uid, command)
  return (await run(file, args)).stdout.trim()
}

describeIsolated(`an isolated process (${kind})`, () => {
  test('sees of a hidden folder what is shown of it, whatever is in its name', async () => {
    expect(await inside('ls "$0" | tr "\\n" " "')).toBe('own shown single')
    expect(await inside('cat "$0/shown/file" "$0/single"')).toBe('shownsingle')
    expect(await inside('cat "$0/secret/file" 2>&1 || true')).toMatch(/No such file/)
  })

  test('writes only where it may', async () => {
    expect(await inside('touch "$0/own/made" && echo written')).toBe('written')
    for (const path of ['shown/made', 'single', 'made'])
      expect(await inside(`touch "$0/${path}" 2>/dev/null || echo refused`)).toBe('refused')
  })

  test('starts in its folder, and can not climb out of it', async () => {
    expect(await inside('pwd; cd ..; ls | tr "\\n" " "')).toBe(
      `${join(home, 'shown')}\nown shown single`,
    )
  })

  test('has no rights, no core dumps and limits', async () => {
    const status = await inside('cat /proc/self/status')
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(status).toMatch(new RegExp(`${set}:\\s+0+$`, 'm'))
    expect(status).toMatch(/NoNewPrivs:\s+1/)
    expect(await inside('ulimit -c; ulimit -n')).toBe('0\n4096')
    expect(await inside('id -u')).toBe(String(uid ?? process.getuid?.()))
  })

  test('has temporary files that nobody else sees', async () => {
    expect(await inside('echo x > /tmp/of-the-test; ls /tmp | grep -c of-the-test')).toBe('1')
    expect(await inside('ls /tmp | grep -c of-the-test || true')).toBe('0')
  })

  test('keeps its pid on the way, by which the engine knows it', async () => {
    const view = {
      stage: join(home, 'stage'),
      cwd: '/',
      hide: [],
      readOnly: [],
      writable: [],
    }
    if (kind === 'none') return
    const [file = '', ...args] = isolatedCommand(kind, view, uid, ['/bin/sh', '-c', 'echo $$'])
    const started = run(file, args)
    expect((await started).stdout.trim()).toBe(String(started.child.pid))
  })
})

test('a trial that does not end is told from one that fails', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kre-programs-'))
  try {
    for (const name of ['unshare', 'sh'])
      writeFileSync(join(dir, name), '#!/bin/sh\nexec /bin/sleep 600\n', { mode: 0o755 })
    const why = 'a trial of mount namespaces did not end within 0.2 s'
    expect(await probeIsolation({ PATH: dir }, 200)).toEqual({ kind: 'none', why })
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('an isolation is what was tried, and the reason is said where it does not work', async () => {
  expect(await probeIsolation({ PATH: '/nowhere' })).toMatchObject({
    kind: 'none',
    why: expect.stringMatching(/util-linux|namespaces/),
  })
})
