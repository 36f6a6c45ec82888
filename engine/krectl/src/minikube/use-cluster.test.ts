/** Commands for the engine in the cluster. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import {
  TOKEN,
  folder,
  program,
  kubectl,
  engine,
  run,
  calls,
} from '../testing/minikube-programs.ts'

describe('KRECTL_TARGET=minikube', () => {
  const environment = { KRECTL_TARGET: 'minikube', KRE_DATA: '' }

  test('leads commands to the engine in the cluster, and ends the way there with them', async () => {
    await using it = await engine({ data: { runtimes: [] } })
    await kubectl({ port: it.port })
    expect(await run('runtime list', environment)).toMatchObject({ code: 0 })
    expect(it.asked).toEqual([expect.stringMatching(`^POST .* Bearer ${TOKEN}$`)])
    const pid = Number(await readFile(join(folder, 'forwarder'), 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('does not when another engine is named', async () => {
    await kubectl()
    for (const line of ['--data nowhere', '--profile nobody'])
      expect((await run(`runtime list ${line}`, environment)).code).not.toBe(0)
    expect(await calls()).toEqual([])
  })

  test('leads nothing there that is about this computer, or was told to be', async () => {
    await kubectl()
    expect(await run('keys reset --yes', environment)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('KRECTL_TARGET=minikube'),
    })
    const local = { KRECTL_TARGET: 'minikube' }
    expect((await run('login --target local', local)).code).toBe(69)
    expect((await run('stop --target local', local)).code).toBe(0)
    expect(await calls()).toEqual([])
  })

  test('says what is missing in the cluster', async () => {
    await program('kubectl', 'echo "secrets kre-local-keys not found" >&2; exit 1')
    expect(await run('delete version lab v1 --yes', environment)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not found'),
    })
  })
})

describe('delete', () => {
  test.each([
    ['delete version lab', 'RUNTIME VERSION'],
    ['delete version other lab v1', `namespace is "kre"`],
    ['delete runtime', 'missing required argument'],
    ['delete runtime a b c', 'RUNTIME'],
  ])('"%s" is wrong usage', async (line, reason) => {
    expect(await run(line)).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) })
  })

  test.each(['delete version lab v1', 'delete version kre lab v1', 'delete runtime kre lab'])(
    '"%s" asks the engine',
    async (line) => {
      expect((await run(line)).code).toBe(69)
    },
  )
})
