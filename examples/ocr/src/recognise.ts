// Reads each crop: the model gives the likeliest character every 8 pixels, CTC makes a text of them.
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { create } from '@bufbuild/protobuf'
import { TerminalError, type Context, type Message } from '@kre/sdk'
import { InferenceSession } from 'onnxruntime-node'
import { CropsSchema, WordSchema, WordsSchema, type Crop } from '../gen/public_input_pb.js'
import { readCharacters } from './read-characters.ts'
import { pictureTensor, type Norm } from './picture-tensor.ts'

const HEIGHT = 48
/** The model was trained on lines of this width, shorter ones padded. */
const WIDTH_MIN = 320
const NORM: Norm = { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] }

const inflateAsync = promisify(inflate)
let session: InferenceSession
let characters: string[]

export async function init(ctx: Context): Promise<void> {
  session = await InferenceSession.create(ctx.path('models/rec.onnx'), { intraOpNumThreads: 1 })
  const list = await readFile(ctx.path('models/characters.txt'), 'utf8')
  // Class 0 is "no character"; the last one, which the list leaves out, is the space.
  characters = ['', ...list.replace(/\n$/, '').split('\n'), ' ']
}

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const { crops } = ctx.unpack(data, CropsSchema)
  const words = []
  // One by one: padding a batch to its widest crop costs more than it saves, and a cancelled request ends between two.
  for (const crop of crops) {
    if (ctx.cancelled) throw new TerminalError('nobody waits for the text any more')
    const { text, confidence } = await read(crop)
    if (text !== '')
      words.push(create(WordSchema, { text, confidence, ...(crop.box && { box: crop.box }) }))
  }
  await ctx.sendOutput(create(WordsSchema, { words }))
}

async function read(crop: Crop) {
  const { width } = crop
  const rgb = await pixelsOf(crop)
  const x = pictureTensor(rgb, { width, height: HEIGHT }, NORM, Math.max(width, WIDTH_MIN))
  const [output] = Object.values(await session.run({ x }))
  return readCharacters(output?.data as Float32Array, characters)
}

/** Three bytes a pixel, as the model wants them. */
async function pixelsOf({ grey, width }: Crop): Promise<Uint8Array> {
  const expected = width * HEIGHT
  const pixels = await inflateAsync(grey, { maxOutputLength: expected })
  if (pixels.length !== expected) {
    throw new TerminalError(
      `a crop of ${width} x ${HEIGHT} pixels has ${pixels.length} bytes, not ${expected}`,
    )
  }
  return Uint8Array.from({ length: expected * 3 }, (_, at) => pixels[Math.floor(at / 3)] as number)
}
