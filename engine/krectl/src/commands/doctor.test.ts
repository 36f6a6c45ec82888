import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { krectl } from '../testing/krectl.ts'
import { compareVersions } from './doctor.ts'

let bin: string
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'doctor-'))
  await tool('nats-server', 'nats-server: v2.10.0')
})
afterEach(async () => rm(bin, { recursive: true, force: true }))

async function tool(name: string, says: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\necho '${says}'\n`)
  await chmod(join(bin, name), 0o755)
}

const doctor = () =>
  krectl(['doctor'], { environment: { PATH: bin, KRE_CACHE: join(bin, 'cache') } })

test('tools that are missing are named, and are no failure', async () => {
  const { code, stdout } = await doctor()
  expect(stdout).toMatch(/^missing +minikube +not found/m)
  expect(stdout).toMatch(/^ok +nats-server/m)
  expect(code).toBe(0)
})

test('a minikube that is too old is a failure', async () => {
  await tool('minikube', 'minikube version: v1.25.2')
  const { code, stdout, stderr } = await doctor()
  expect(stdout).toMatch(/^FAILED +minikube +1\.25\.2: needs >= 1\.26/m)
  expect(stderr).toBe('krectl: minikube 1.25.2: needs >= 1.26\n')
  expect(code).toBe(1)
})

test('a minikube that is new enough is not', async () => {
  await tool('minikube', 'v1.26.0')
  expect((await doctor()).code).toBe(0)
})

test('versions are compared by their numbers', () => {
  expect(compareVersions('1.9', '1.26')).toBeLessThan(0)
  expect(compareVersions('1.26', '1.26.0')).toBe(0)
  expect(compareVersions('2.0', '1.26')).toBeGreaterThan(0)
  expect(compareVersions('of unknown version', '1.0')).toBeLessThan(0)
})
