import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ProtoWriter } from '@kre/contracts'
import fc from 'fast-check'
import { readModelSignature } from './read-model-signature.ts'

const DIGITS = readFileSync(
  join(import.meta.dirname, '../../../../examples/digits/models/digits.onnx'),
)
const read = (bytes: Uint8Array) => {
  const reads: number[] = []
  const signature = readModelSignature(bytes.length, async (start, length) => {
    reads.push(length)
    return bytes.subarray(start, start + length)
  })
  return { signature, reads }
}

/** A graph with a weight of `weightBytes` before its inputs. */
function modelWith(weightBytes: number): Uint8Array {
  const w = new ProtoWriter()
  const graph = w.beginMessage(7)
  const weight = w.beginMessage(5)
  w.bytes(9, new Uint8Array(weightBytes).fill(1))
  w.string(8, 'weight')
  w.endMessage(weight)
  for (const [field, name] of [
    [11, 'weight'],
    [11, 'x'],
    [12, 'y'],
  ] as const) {
    const value = w.beginMessage(field)
    w.string(1, name)
    w.endMessage(value)
  }
  w.endMessage(graph)
  return w.finish()
}

describe('readModelSignature', () => {
  test('reads what the model of the digits example reads and gives', async () => {
    expect(await read(DIGITS).signature).toEqual({
      inputs: [{ name: 'pixels', type: 'float32', shape: ['n', 64] }],
      outputs: [{ name: 'probabilities', type: 'float32', shape: ['n', 10] }],
    })
  })

  test('passes weights over without reading them, and does not take them for inputs', async () => {
    const { signature, reads } = read(modelWith(20_000_000))
    expect(await signature).toEqual({
      inputs: [{ name: 'x', type: null, shape: [] }],
      outputs: [{ name: 'y', type: null, shape: [] }],
    })
    expect(reads.reduce((sum, length) => sum + length, 0)).toBeLessThan(200_000)
  })

  test.each([
    ['an empty file', new Uint8Array(0), 'is no ONNX model: it has no graph'],
    [
      'a text',
      Buffer.from('import torch\n'),
      'is no ONNX model, or damaged: it is not well-formed',
    ],
    [
      'a model that ends early',
      DIGITS.subarray(0, DIGITS.length - 9),
      'is no ONNX model, or damaged',
    ],
  ])('says of %s that it is no model', async (_what, bytes, text) => {
    await expect(read(bytes).signature).rejects.toMatchObject({
      name: 'NotAModel',
      message: expect.stringContaining(text),
    })
  })

  test('looks at no more parts than are left for all models together', async () => {
    const part = async (start: number, length: number) => DIGITS.subarray(start, start + length)
    const budget = { parts: 100_000 }
    await readModelSignature(DIGITS.length, part, budget)
    const used = 100_000 - budget.parts
    expect(used).toBeGreaterThan(0)
    const left = { parts: 2 * used - 1 }
    await readModelSignature(DIGITS.length, part, left)
    await expect(readModelSignature(DIGITS.length, part, left)).rejects.toThrow('too many parts')
  })

  test('ends for every file, with a signature or a word about it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: DIGITS.length - 1 }),
        fc.nat({ max: 255 }),
        async (at, byte) => {
          const damaged = Buffer.from(DIGITS)
          damaged[at] = byte
          const outcome = await read(damaged).signature.catch((error: unknown) => error)
          if (outcome instanceof Error) expect(outcome.name).toBe('NotAModel')
        },
      ),
      { numRuns: 400 },
    )
  })
})
