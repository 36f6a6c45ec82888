// Brings a part of a picture to another size, turned upright.
import type { Picture } from './png.ts'
import { sizeOf, type Region, type Size } from './region.ts'

/** Samples a side for one pixel of the result at most: more costs time and is not seen. */
const SAMPLES_MAX = 4

/** @returns three bytes a pixel, row by row; beyond the picture its edge goes on. */
export function cutOut(picture: Picture, region: Region, { width, height }: Size): Uint8Array {
  const { origin, along, down } = region
  const from = sizeOf(region)
  // Enough samples that no pixel of the picture is passed over when it shrinks.
  const across = samples(from.width / width)
  const below = samples(from.height / height)
  const rgb = new Uint8Array(width * height * 3)
  const sum = new Float64Array(3)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sum.fill(0)
      for (let j = 0.5; j < below; j++) {
        for (let i = 0.5; i < across; i++) {
          const [u, v] = [(x + i / across) / width, (y + j / below) / height]
          add(
            sum,
            picture,
            origin.x + along.x * u + down.x * v - 0.5,
            origin.y + along.y * u + down.y * v - 0.5,
          )
        }
      }
      for (const total of sum) rgb[to++] = Math.round(total / (across * below))
    }
  }
  return rgb
}

function samples(shrinking: number): number {
  return Math.min(Math.max(Math.ceil(shrinking), 1), SAMPLES_MAX)
}

/** Adds the colour between four pixels (bilinear). */
function add(sum: Float64Array, { width, height, rgb }: Picture, x: number, y: number): void {
  const [left, top] = [Math.floor(x), Math.floor(y)]
  for (let dy = 0; dy < 2; dy++) {
    const row = Math.min(Math.max(top + dy, 0), height - 1) * width
    const heightShare = dy === 0 ? 1 - (y - top) : y - top
    for (let dx = 0; dx < 2; dx++) {
      const share = heightShare * (dx === 0 ? 1 - (x - left) : x - left)
      const at = (row + Math.min(Math.max(left + dx, 0), width - 1)) * 3
      for (let channel = 0; channel < 3; channel++) {
        sum[channel] = (sum[channel] as number) + share * (rgb[at + channel] as number)
      }
    }
  }
}
