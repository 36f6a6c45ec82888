/** examples/digits-no-code: a model without code reads what the digits example reads with it, equally well. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { connectForeign } from './support/grpc-client.ts'
import { createKre, root, type Kre } from './support/kre.ts'

/** A Python environment may be built on the way. */
const START_TIMEOUT_MS = 300_000
const CALLERS = 16

type HeldOut = { accuracy: number; images: string[]; labels: number[] }

let kre: Kre
beforeAll(async () => {
  kre = await createKre()
  await kre.json('dev', '--detach', '--no-example')
  await kre.json('runtime', 'create', 'school')
}, START_TIMEOUT_MS)
afterAll(async () => kre?.[Symbol.asyncDispose](), START_TIMEOUT_MS)

test('shares everything but the model’s code with the example that has some', async () => {
  for (const file of [
    'public_input.proto',
    'gen/public_input_pb.js',
    'models/digits.onnx',
    'src/prepare.ts',
    'src/label.py',
  ]) {
    const [twin, original] = await Promise.all(
      ['digits-no-code', 'digits'].map((name) => readFile(join(root, 'examples', name, file))),
    )
    expect({ file, isEqual: twin?.equals(original ?? Buffer.alloc(0)) }).toEqual({
      file,
      isEqual: true,
    })
  }
})

test(
  'reads as many of the held-out pictures right as the model did when it was trained',
  async () => {
    await kre.json('version', 'create', '-r', 'school', join(root, 'examples/digits-no-code'))
    await kre.json('version', 'start', '-r', 'school', 'digits-no-code-v1')
    await kre.json('version', 'publish', '-r', 'school', 'digits-no-code-v1')
    const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
      'runtime',
      'show',
      'school',
    )
    const text = await readFile(join(root, 'examples/digits/held-out.json'), 'utf8')
    const { accuracy, images, labels } = JSON.parse(text) as HeldOut
    using client = await connectForeign(entrypointAddress, 'digits.Entrypoint', 'ClassifyDigit')
    let right = 0
    const left = images.keys()
    const caller = async () => {
      for (const at of left) {
        const pixels = [...Buffer.from(images[at] ?? '', 'hex')]
        const answer = await client.call({ pixels, width: 8, height: 8, white: 16 })
        if ((answer as { label: number }).label === labels[at]) right++
      }
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
    expect(right / images.length).toBeCloseTo(accuracy, 4)
  },
  START_TIMEOUT_MS,
)
