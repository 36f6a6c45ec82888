import { describe, expect, test } from '@jest/globals'
import { cutOut } from '../examples/ocr/src/cut-out.ts'
import { findRegions } from '../examples/ocr/src/find-regions.ts'
import {
  boxOf,
  grow,
  scale,
  sizeOf,
  smallestRegion,
  type Region,
} from '../examples/ocr/src/region.ts'
import { readCharacters } from '../examples/ocr/src/read-characters.ts'

const SIZE = { width: 200, height: 160 }

/** A map with `value` inside a rectangle round (100, 80), turned anticlockwise on the screen. */
function bar(width: number, height: number, degrees: number, value = 0.9): Float32Array {
  const angle = (degrees * Math.PI) / 180
  return Float32Array.from({ length: SIZE.width * SIZE.height }, (_, at) => {
    const x = (at % SIZE.width) + 0.5 - 100
    const y = Math.floor(at / SIZE.width) + 0.5 - 80
    const along = x * Math.cos(angle) - y * Math.sin(angle)
    const down = x * Math.sin(angle) + y * Math.cos(angle)
    return Math.abs(along) <= width / 2 && Math.abs(down) <= height / 2 ? value : 0.01
  })
}

describe('findRegions', () => {
  test.each([0, 5, 20, 40, -15, -40])('finds a line that is turned by %d degrees', (degrees) => {
    const [region, ...more] = findRegions(bar(100, 10, degrees), SIZE)
    expect(more).toEqual([])
    const { along, origin, down } = region as Region
    expect((Math.atan2(-along.y, along.x) * 180) / Math.PI).toBeCloseTo(degrees, -0.5)
    expect(origin.x + (along.x + down.x) / 2).toBeCloseTo(100, -0.5)
    expect(origin.y + (along.y + down.y) / 2).toBeCloseTo(80, -0.5)
    // 1,000 pixels, 220 round: 9.1 more on each side.
    const size = sizeOf(region as Region)
    expect(Math.abs(size.width - 118)).toBeLessThan(5)
    expect(Math.abs(size.height - 28)).toBeLessThan(5)
  })

  test('reads what is tall from top to bottom, but not a narrow character', () => {
    const [column] = findRegions(bar(10, 100, 0), SIZE)
    expect(column?.along.y).toBeGreaterThan(100)
    const [one] = findRegions(bar(10, 19, 0), SIZE)
    expect(one?.along.x).toBeGreaterThan(10)
  })

  test.each([
    ['an empty map', bar(0, 0, 0)],
    ['what is hardly likely', bar(100, 10, 0, 0.5)],
    ['specks', bar(2, 2, 0)],
    ['hair lines', bar(150, 1, 0)],
  ])('finds nothing in %s', (_, map) => {
    expect(findRegions(map, SIZE)).toEqual([])
  })

  test('takes a whole map that is text, in one piece', () => {
    const map = new Float32Array(SIZE.width * SIZE.height).fill(1)
    expect(findRegions(map, SIZE)).toHaveLength(1)
  })
})

describe('regions', () => {
  const points = [
    { x: 10, y: 20 },
    { x: 50, y: 20 },
    { x: 50, y: 30 },
    { x: 10, y: 30 },
    { x: 30, y: 25 },
  ]

  test('are as small as can be, grow on all sides, and scale', () => {
    const region = smallestRegion(points)
    expect(sizeOf(region)).toEqual({ width: 40, height: 10 })
    expect(sizeOf(grow(region, 3))).toEqual({ width: 46, height: 16 })
    expect(sizeOf(scale(region, 2, 3))).toEqual({ width: 80, height: 30 })
  })

  test('have a box that stays inside the picture', () => {
    const region = grow(smallestRegion(points), 15)
    expect(boxOf(region, { width: 60, height: 100 })).toEqual({
      left: 0,
      top: 5,
      width: 60,
      height: 40,
    })
  })
})

describe('cutOut', () => {
  const picture = { width: 3, height: 2, rgb: Uint8Array.from({ length: 18 }, (_, i) => i * 10) }
  const whole = { origin: { x: 0, y: 0 }, along: { x: 3, y: 0 }, down: { x: 0, y: 2 } }

  test('gives the picture itself at its own size', () => {
    expect(cutOut(picture, whole, picture)).toEqual(picture.rgb)
  })

  test('turns', () => {
    const downwards = { origin: { x: 3, y: 0 }, along: { x: 0, y: 2 }, down: { x: -3, y: 0 } }
    const turned = cutOut(picture, downwards, { width: 2, height: 3 })
    expect([...turned].filter((_, i) => i % 3 === 0)).toEqual([60, 150, 30, 120, 0, 90])
  })

  test('looks at every pixel when it shrinks, and goes on beyond the edge', () => {
    expect([...cutOut(picture, whole, { width: 1, height: 1 })]).toEqual([75, 85, 95])
    const beside = { ...whole, origin: { x: -9, y: 0 }, along: { x: 3, y: 0 } }
    expect([...cutOut(picture, beside, { width: 1, height: 2 })]).toEqual([0, 10, 20, 90, 100, 110])
  })
})

describe('readCharacters', () => {
  const characters = ['', 'a', 'b', ' ']
  const steps = (...classes: number[]) =>
    Float32Array.from(classes.flatMap((one) => characters.map((_, i) => (i === one ? 0.8 : 0.05))))

  test('takes repeated classes as one character and doubles only across a gap', () => {
    expect(readCharacters(steps(1, 1, 0, 1, 2, 2), characters).text).toBe('aab')
  })

  test('keeps spaces between characters only', () => {
    expect(readCharacters(steps(3, 1, 3, 2, 3), characters).text).toBe('a b')
  })

  test('is as sure as its characters are on average, and not at all without any', () => {
    expect(readCharacters(steps(1, 0, 2), characters).confidence).toBeCloseTo(0.8)
    expect(readCharacters(steps(0, 0), characters)).toEqual({ text: '', confidence: 0 })
  })

  test('refuses a list of characters that is not the model’s', () => {
    expect(() => readCharacters(new Float32Array(7), characters)).toThrow('4 classes')
  })
})
