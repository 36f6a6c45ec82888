import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { buildModel, identityModel, type ElementType } from '../testing/build-model.ts'
import { openModelSession, type ModelSession } from './model-session.ts'
import { makeArray, type TensorData } from './tensor.ts'

let folder: string
let files = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kre-model-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const noLoss = (why: string) => {
  throw new Error(why)
}
async function open(model: Uint8Array): Promise<ModelSession> {
  const modelPath = join(folder, `${files++}.onnx`)
  writeFileSync(modelPath, model)
  return openModelSession({ modelPath, threads: 1 }, noLoss)
}

describe('openModelSession', () => {
  test.each<[ElementType, TensorData]>([
    ['float32', Float32Array.of(1.5, -2)],
    ['float64', Float64Array.of(1e300, -2)],
    ['float16', Uint16Array.of(0x3e00, 0xc000)],
    ['int8', Int8Array.of(-128, 127)],
    ['int16', Int16Array.of(-32768, 32767)],
    ['int32', Int32Array.of(-1, 2 ** 31 - 1)],
    ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
    ['uint8', Uint8Array.of(0, 255)],
    ['uint16', Uint16Array.of(0, 65535)],
    ['uint32', Uint32Array.of(0, 2 ** 32 - 1)],
    ['uint64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ['bool', Uint8Array.of(0, 1)],
    ['string', ['a', 'größe']],
  ])('carries %s to the model and back', async (type, data) => {
    const session = await open(identityModel(type, ['n']))
    try {
      expect(session.signature).toEqual({
        inputs: [{ name: 'in', type, shape: ['n'] }],
        outputs: [{ name: 'out', type, shape: ['n'] }],
      })
      const sent = Array.isArray(data) ? data : makeArray(type as 'float32', data.length)
      if (!Array.isArray(data)) (sent as Float32Array).set(data as Float32Array)
      const { out } = await session.run({ in: { type, data: sent, shape: [2] } }, ['out'])
      expect(out).toEqual({ type, data, shape: [2] })
    } finally {
      await session.close()
    }
  })

  test('refuses a file that is no model, with its reason', async () => {
    await expect(open(Buffer.from('no model'))).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining("the model can't be loaded"),
    })
  })

  test('gives the words of the model when it does not take the inputs, and goes on', async () => {
    const session = await open(identityModel('float32', ['n', 3]))
    const run = (shape: number[]) =>
      session.run({ in: { type: 'float32', data: new Float32Array(4), shape } }, ['out'])
    await expect(run([1, 4])).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/the model refuses: .*in/s),
    })
    expect(session.isBusy).toBe(false)
    await session.close()
  })

  test('leaves the thread that calls it free while the model runs', async () => {
    const size = 700
    const matrix = { type: 'float32', shape: [size, size] } as const
    const session = await open(
      buildModel(
        [{ name: 'a', ...matrix }],
        [{ name: 'out', ...matrix }],
        Array.from({ length: 4 }, (_, i) => ({
          operator: 'MatMul',
          inputs: [i === 0 ? 'a' : `t${i - 1}`, 'a'],
          outputs: [i === 3 ? 'out' : `t${i}`],
        })),
      ),
    )
    let turns = 0
    let isOver = false
    const running = session
      .run({ a: { type: 'float32', data: new Float32Array(size * size), shape: [size, size] } }, [
        'out',
      ])
      .finally(() => (isOver = true))
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    count()
    expect(session.isBusy).toBe(true)
    await running
    // A blocked thread would have had one or two.
    expect(turns).toBeGreaterThan(10)
    await session.close()
  })
})
