// The second half of DB text detection (https://arxiv.org/abs/1911.08947): from the model's map to places of text.
import { grow, sizeOf, smallestRegion, type Point, type Region, type Size } from './region.ts'

/** A pixel of the map is text above this. */
const PIXEL_MIN = 0.3
/** What hangs together is text when its mean is above this. */
const MEAN_MIN = 0.6
/** Shorter sides, in pixels of the map, are specks. */
const SIDE_MIN = 3
/**
 * The model marks the heart of a line; area times this over circumference is what it leaves out on each side. The
 * paper takes 1.5; from crops that tight the recogniser reads no spaces.
 */
const UNCLIP = 2

/** @param map for each pixel, row by row, how likely it is text: 0 to 1. @returns from top to bottom by first pixel. */
export function findRegions(map: Float32Array, { width, height }: Size): Region[] {
  const regions: Region[] = []
  const seen = new Uint8Array(map.length)
  for (let start = 0; start < map.length; start++) {
    if (seen[start] === 1 || (map[start] as number) <= PIXEL_MIN) continue
    const pixels = collect(map, seen, start, { width, height })
    const mean = pixels.reduce((sum, at) => sum + (map[at] as number), 0) / pixels.length
    if (mean < MEAN_MIN) continue
    const heart = smallestRegion(outline(pixels, width))
    const size = sizeOf(heart)
    if (Math.min(size.width, size.height) < SIDE_MIN) continue
    regions.push(
      grow(heart, (size.width * size.height * UNCLIP) / (2 * (size.width + size.height))),
    )
  }
  return regions
}

/** The pixels above the threshold that hang together with `start`, diagonals included; marks them as seen. */
function collect(
  map: Float32Array,
  seen: Uint8Array,
  start: number,
  { width, height }: Size,
): number[] {
  const pixels = [start]
  seen[start] = 1
  // `pixels` grows while the loop walks along it.
  for (const at of pixels) {
    const [x, y] = [at % width, Math.floor(at / width)]
    for (let nextY = Math.max(y - 1, 0); nextY <= Math.min(y + 1, height - 1); nextY++) {
      for (let nextX = Math.max(x - 1, 0); nextX <= Math.min(x + 1, width - 1); nextX++) {
        const next = nextY * width + nextX
        if (seen[next] === 1 || (map[next] as number) <= PIXEL_MIN) continue
        seen[next] = 1
        pixels.push(next)
      }
    }
  }
  return pixels
}

/** The corners of the first and the last pixel of each row: enough for the hull. */
function outline(pixels: number[], width: number): Point[] {
  const rows = new Map<number, { left: number; right: number }>()
  for (const at of pixels) {
    const [x, y] = [at % width, Math.floor(at / width)]
    const row = rows.get(y)
    if (row === undefined) rows.set(y, { left: x, right: x + 1 })
    else {
      row.left = Math.min(row.left, x)
      row.right = Math.max(row.right, x + 1)
    }
  }
  return [...rows].flatMap(([y, { left, right }]) =>
    [left, right].flatMap((x) => [
      { x, y },
      { x, y: y + 1 },
    ]),
  )
}
