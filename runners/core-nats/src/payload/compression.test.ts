import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { compress, decompress, isWorthCompressing } from './compression.ts'

const MIB = 1024 * 1024

describe('decompress', () => {
  test('gives back what was compressed, however many come at once', async () => {
    const values = Array.from({ length: 40 }, (_, i) => Buffer.alloc(1_000 * i, i))
    const back = await Promise.all(
      values.map(async (value) => decompress(await compress(value), 40_000)),
    )
    expect(back.map((value, i) => values[i]?.equals(value))).toEqual(values.map(() => true))
  })

  test.each([
    ['at', 1_000, null],
    ['above', 999, 'resource-exhausted'],
  ])('takes what is %s the limit, or says that it is too much', async (_what, bytesMax, code) => {
    const result = await decompress(gzipSync(Buffer.alloc(1_000)), bytesMax).then(
      () => null,
      (error: unknown) => error,
    )
    if (code === null) expect(result).toBeNull()
    else expect(result).toMatchObject({ code })
  })

  test('refuses what is no gzip, and goes on', async () => {
    const wrong = Array.from({ length: 20 }, () => decompress(Buffer.from('no gzip'), 1_000))
    for (const each of wrong) await expect(each).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(await decompress(gzipSync('fine'), 1_000)).toHaveLength(4)
  })

  test('of many bombs takes the memory of a few', async () => {
    const bomb = gzipSync(Buffer.alloc(17 * MIB))
    const before = process.memoryUsage.rss()
    let peak = before
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5)
    // Errors that are kept keep nothing alive.
    await Promise.allSettled(Array.from({ length: 30 }, () => decompress(bomb, 16 * MIB)))
    clearInterval(watch)
    // All of them at once would be 480 MiB.
    expect(peak - before).toBeLessThan(250 * MIB)
  })
})

test('what is small or does not shrink is not worth compressing', () => {
  const noise = Buffer.from(Array.from({ length: 70_000 }, () => Math.floor(Math.random() * 256)))
  expect(isWorthCompressing(Buffer.alloc(70_000))).toBe(true)
  expect(isWorthCompressing(Buffer.alloc(60_000))).toBe(false)
  expect(isWorthCompressing(noise)).toBe(false)
})
