/** `krectl oip-check` against our own entrypoint, and against a server that takes everything. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { krectl } from '../engine/krectl/src/testing/krectl.ts'
import { type DoorsScene, openDoors } from '../runners/entrypoint/src/testing/doors-version.ts'

let nats: TestNats
let scene: DoorsScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats)
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

type Report = {
  passed: number
  failed: number
  lax: number
  skipped: number
  checks: { id: string; protocol: string; outcome: string; name: string; detail: string }[]
}

async function check(rest: string, grpc: string, model: string, ...more: string[]) {
  const { code, stdout, stderr } = await krectl(['oip-check', rest, grpc, model, '--json', ...more])
  return { code, stderr, report: JSON.parse(stdout) as Report }
}

describe('krectl oip-check', () => {
  test.each(['tensors', 'demo-rt.tensors', 'everything'])(
    'finds nothing wrong with our own server and its model %s',
    async (model) => {
      const { code, report } = await check(scene.url, scene.entrypoint.address, model, '--strict')
      const wanting = ['failed', 'lax']
      expect(report.checks.filter(({ outcome }) => wanting.includes(outcome))).toEqual([])
      expect(code).toBe(0)
      expect(report.passed).toBeGreaterThan(40)
    },
  )

  test('finds a server that takes everything, and a model that is not there', async () => {
    const taking = createServer((request, response) => {
      request.resume()
      const tensor = { name: 'x', datatype: 'FP32', shape: [-1], data: [0] }
      const model = { name: 'lax', inputs: [tensor], outputs: [tensor] }
      const all = { live: true, ready: true, extensions: ['binary_tensor_data'], ...model }
      response.end(JSON.stringify(all))
    })
    taking.listen(0, '127.0.0.1')
    await once(taking, 'listening')
    const { port } = taking.address() as AddressInfo
    const { code, report, stderr } = await check(
      `http://127.0.0.1:${port}/`,
      scene.entrypoint.address,
      'nobody',
    )
    taking.close()
    taking.closeAllConnections()
    expect(code).toBe(1)
    expect(stderr).toContain('does not meet')
    const failed = report.checks.filter(({ outcome }) => outcome === 'failed')
    const ids = new Set(failed.filter(({ protocol }) => protocol === 'rest').map(({ id }) => id))
    expect([...ids]).toEqual(
      expect.arrayContaining(['O1', 'O4', 'O11', 'O12', 'O13', 'O15', 'O16', 'O17']),
    )
    const lax = report.checks.filter(({ outcome }) => outcome === 'lax')
    expect(lax.map(({ id }) => id)).toEqual(expect.arrayContaining(['O10', 'O16', 'O18']))
    expect(report.passed + report.failed + report.lax + report.skipped).toBe(report.checks.length)
  })

  test('tells what the published text asks from what only we do', async () => {
    const refusing = createServer((request, response) => {
      request.resume()
      const tensor = { name: 'x', datatype: 'FP32', shape: [-1], data: [0] }
      const isInference = request.method === 'POST'
      response.statusCode = isInference ? 422 : 200
      const answer = { name: 'm', inputs: [tensor], outputs: [tensor], ready: true, live: true }
      response.end(JSON.stringify(isInference ? { error: 'no' } : answer))
    })
    refusing.listen(0, '127.0.0.1')
    await once(refusing, 'listening')
    const { port } = refusing.address() as AddressInfo
    const { report } = await check(`http://127.0.0.1:${port}`, scene.entrypoint.address, 'tensors')
    refusing.close()
    refusing.closeAllConnections()
    const lax = report.checks.filter(({ outcome }) => outcome === 'lax')
    expect(new Set(lax.map(({ id }) => id))).toEqual(
      new Set(['O4', 'O11', 'O12', 'O13', 'O16', 'O17']),
    )
    for (const { detail } of lax) expect(detail).toContain('expected 400, got 422')
  })

  test('says what is wrong with its arguments', async () => {
    expect(await krectl(['oip-check', 'nonsense', 'a:1', 'm'])).toMatchObject({ code: 2 })
    expect(await krectl(['oip-check', 'http://a', 'nonsense', 'm'])).toMatchObject({ code: 2 })
    expect(await krectl(['oip-check', 'http://a'])).toMatchObject({ code: 2 })
  })
})
