/** The nodes of examples/ocr with their real models, without an engine. */
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { deflateSync } from 'node:zlib'
import { create, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { describe, expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import { runHandler, type Message, type RunResult } from '@kre/sdk'
import { fetchModels } from '../engine/krectl/src/bundle/fetch-models.ts'
import { createOutput } from '../engine/krectl/src/output/output.ts'
import {
  BoxSchema,
  CropSchema,
  CropsSchema,
  file_public_input,
  PictureSchema,
  WordsSchema,
} from '../examples/ocr/gen/public_input_pb.js'
import { encodePng } from './encode-png.ts'

// Jest gives each test file arrays of its own kind; the native part of onnxruntime makes Node's. onnxruntime looks at
// the name once, when it is loaded, so the handlers come after.
globalThis.Float32Array = Buffer.constructor('return Float32Array')() as Float32ArrayConstructor
const detect = await import('../examples/ocr/src/detect.ts')
const recognise = await import('../examples/ocr/src/recognise.ts')

const root = resolve(import.meta.dirname, '..')
const basePath = join(root, 'examples', 'ocr')
const descriptorSet = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, { file: [file_public_input.proto] }),
)
const options = { basePath, descriptorSet }

/** Why the models can't be had here; null when they are there. */
async function whyNoModels(): Promise<string | null> {
  const said = new PassThrough().resume()
  const output = createOutput(said, said)
  const { signal } = new AbortController()
  try {
    await fetchModels(basePath, { root, environment: process.env, signal, output })
    return null
  } catch (error) {
    if (error instanceof KreError && error.code === 'unavailable') return error.message
    throw error
  }
}

const missing = await whyNoModels()
const withModels = missing === null ? describe : describe.skip

async function find(png: Uint8Array) {
  const message = onlyOutput(await runHandler(detect, create(PictureSchema, { png }), options))
  return { message, crops: message.unpack(CropsSchema).crops }
}

async function read(crops: Message) {
  return onlyOutput(await runHandler(recognise, crops, options)).unpack(WordsSchema).words
}

function onlyOutput({ outputs }: RunResult): Message {
  expect(outputs).toHaveLength(1)
  return outputs[0]?.message as Message
}

withModels(missing === null ? 'the nodes of ocr' : `the nodes of ocr (${missing})`, () => {
  test('read every line of the sample, the tilted one as well, letter by letter', async () => {
    const { message, crops } = await find(await readFile(join(basePath, 'sample.png')))
    expect(crops).toHaveLength(3)
    const words = await read(message)
    expect(words.map(({ text }) => text)).toEqual([
      'Invoice 2048 for Ada Lovelace',
      'Total: 1,307.50 EUR',
      'Due on 15 March 2027',
    ])
    for (const { confidence } of words) expect(confidence).toBeGreaterThan(0.9)
  })

  test('say where in the picture each line is', async () => {
    const { crops } = await find(await readFile(join(basePath, 'sample.png')))
    const box = crops[0]?.box
    // Drawn with Pillow at (40, 18), 513 pixels wide and 34 high, letters with their descenders.
    expect(Math.abs((box?.left ?? 0) - 40)).toBeLessThan(8)
    expect(Math.abs((box?.top ?? 0) - 18)).toBeLessThan(8)
    expect(Math.abs((box?.width ?? 0) - 513)).toBeLessThan(16)
    expect(Math.abs((box?.height ?? 0) - 34)).toBeLessThan(12)
  })

  test.each([
    ['an empty picture', 64, 64],
    ['a picture of one pixel', 1, 1],
    ['a long and narrow picture', 5_000, 2],
  ])('find nothing in %s, and answer so', async (_, width, height) => {
    const rows = Array.from({ length: height }, () => Buffer.alloc(width, 255))
    const { message, crops } = await find(encodePng({ width, height, depth: 8, colour: 0, rows }))
    expect(crops).toEqual([])
    expect(await read(message)).toEqual([])
  })

  test('refuse what is no picture', async () => {
    await expect(find(Buffer.from('GIF89a'))).rejects.toMatchObject({
      name: 'TerminalError',
      message: expect.stringContaining('no PNG'),
    })
  })

  test('refuse a crop whose pixels do not fit its width', async () => {
    const crop = create(CropSchema, {
      width: 10,
      grey: deflateSync(new Uint8Array(9)),
      box: create(BoxSchema),
    })
    await expect(
      runHandler(recognise, create(CropsSchema, { crops: [crop] }), options),
    ).rejects.toMatchObject({ name: 'TerminalError', message: expect.stringContaining('9 bytes') })
  })
})

test('the reading order passes its own tests', () => {
  const args = ['-B', '-m', 'unittest', 'discover', join(basePath, 'tests')]
  expect(() => execFileSync('python3', args, { stdio: 'pipe' })).not.toThrow()
})
