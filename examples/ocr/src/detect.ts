// Finds the places of text in a picture and cuts them out, upright and 48 pixels high.
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { create } from '@bufbuild/protobuf'
import type { Context, Message } from '@kre/sdk'
import { InferenceSession } from 'onnxruntime-node'
import { CropSchema, CropsSchema, PictureSchema, type Crop } from '../gen/public_input_pb.js'
import { cutOut } from './cut-out.ts'
import { findRegions } from './find-regions.ts'
import { pictureTensor, type Norm } from './picture-tensor.ts'
import { decodePng, type Picture } from './png.ts'
import { boxOf, scale, sizeOf, type Region, type Size } from './region.ts'

/** The model halves its input five times. */
const STEP = 32
/** Larger pictures are shrunk for the search: time and memory grow with the area. Crops come from the original. */
const SIDE_MAX = 960
const NORM: Norm = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }
/** What `recognise` reads. */
const CROP_HEIGHT = 48
const CROP_WIDTH_MIN = 8
/** 50 times the height: no line of text is longer, and it bounds one crop to 115 kB. */
const CROP_WIDTH_MAX = 2_400
/** More than a page holds; bounds the message. */
const CROPS_MAX = 300

const deflateAsync = promisify(deflate)
let session: InferenceSession

export async function init(ctx: Context): Promise<void> {
  session = await InferenceSession.create(ctx.path('models/det.onnx'), { intraOpNumThreads: 1 })
}

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const { png } = ctx.unpack(data, PictureSchema)
  const picture = await decodePng(png)
  const regions = await findText(picture)
  if (regions.length > CROPS_MAX) {
    ctx.logger.warn(`${regions.length} places look like text; only the first ${CROPS_MAX} are read`)
  }
  const crops = await Promise.all(
    regions.slice(0, CROPS_MAX).map((region) => cropOf(picture, region)),
  )
  ctx.logger.info(`${picture.width} x ${picture.height} pixels, ${crops.length} places of text`)
  await ctx.sendOutput(create(CropsSchema, { crops }))
}

async function findText(picture: Picture): Promise<Region[]> {
  const { width, height } = picture
  const size = searchSize(picture)
  const whole: Region = {
    origin: { x: 0, y: 0 },
    along: { x: width, y: 0 },
    down: { x: 0, y: height },
  }
  const x = pictureTensor(cutOut(picture, whole, size), size, NORM)
  const [map] = Object.values(await session.run({ x }))
  return findRegions(map?.data as Float32Array, size).map((region) =>
    scale(region, width / size.width, height / size.height),
  )
}

function searchSize({ width, height }: Size): Size {
  const shrink = Math.min(1, SIDE_MAX / Math.max(width, height))
  const fit = (side: number): number => Math.max(STEP, Math.round((side * shrink) / STEP) * STEP)
  return { width: fit(width), height: fit(height) }
}

async function cropOf(picture: Picture, region: Region): Promise<Crop> {
  const size = sizeOf(region)
  const natural = Math.round((CROP_HEIGHT * size.width) / size.height)
  const width = Math.min(Math.max(natural, CROP_WIDTH_MIN), CROP_WIDTH_MAX)
  const rgb = cutOut(picture, region, { width, height: CROP_HEIGHT })
  const grey = await deflateAsync(toGrey(rgb), { level: 1 })
  return create(CropSchema, { box: boxOf(region, picture), width, grey })
}

/** Brightness as the eye sees it (ITU-R BT.601). */
function toGrey(rgb: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: rgb.length / 3 }, (_, at) => {
    const [red, green, blue] = rgb.subarray(at * 3, at * 3 + 3) as unknown as [
      number,
      number,
      number,
    ]
    return Math.round(0.299 * red + 0.587 * green + 0.114 * blue)
  })
}
