// Brings a picture of any size to what the model was trained on: 8 x 8 brightnesses from 0 to 1.
import { create } from '@bufbuild/protobuf'
import { TerminalError, type Context, type Message } from '@kre/sdk'
import { DigitImageSchema, ModelInputSchema } from '../gen/public_input_pb.js'

const SIDE = 8

export async function defaultHandler(ctx: Context, data: Message): Promise<void> {
  const image = ctx.unpack(data, DigitImageSchema)
  const { width, height, pixels } = image
  if (width === 0 || height === 0 || pixels.length !== width * height) {
    throw new TerminalError(
      `a picture of ${width} x ${height} needs ${width * height} pixels, not ${pixels.length}`,
    )
  }
  const white = image.white === 0 ? 255 : image.white
  const brightness = shrink(pixels, width, height).map((value) => Math.min(value / white, 1))
  await ctx.sendOutput(create(ModelInputSchema, { brightness, trueLabel: image.trueLabel }))
}

/** The mean of each of the 8 x 8 fields that the picture is cut into. */
function shrink(pixels: number[], width: number, height: number): number[] {
  return Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [top, bottom] = span(Math.floor(at / SIDE), height)
    const [left, right] = span(at % SIDE, width)
    let sum = 0
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) sum += pixels[y * width + x] ?? 0
    return sum / ((bottom - top) * (right - left))
  })
}

/** Pixels that field `at` covers along an axis of `length` pixels: at least one. */
function span(at: number, length: number): [number, number] {
  const start = Math.floor((at * length) / SIDE)
  return [start, Math.max(start + 1, Math.floor(((at + 1) * length) / SIDE))]
}
