import { describe, expect, test } from '@jest/globals'
import { isPaletteKey, pressKey, SEQUENCE_MS, SHORTCUTS } from './shortcuts.ts'

/** Commands that presses give, one each 100 ms unless said otherwise. */
function commands(keys: readonly string[], gapMs = 100, isModified = false) {
  let begun: Parameters<typeof pressKey>[0] = null
  return keys.map((key, index) => {
    const step = pressKey(begun, { key, atMs: index * gapMs, isModified })
    begun = step.begun
    return step.command
  })
}

describe('pressKey', () => {
  test('takes one key, and two after each other', () => {
    expect(commands(['?'])).toEqual(['help'])
    expect(commands(['g', 'r'])).toEqual([null, 'runtimes'])
    expect(commands(['x', 'g', 'l', 'l'])).toEqual([null, null, 'logs', null])
  })

  test('forgets a first key after a while, and after one that means nothing', () => {
    expect(commands(['g', 'r'], SEQUENCE_MS + 1)).toEqual([null, null])
    expect(commands(['g', 'x', 'r'])).toEqual([null, null, null])
    expect(commands(['g', 'g', 'r'])).toEqual([null, null, null])
  })

  test('leaves the browser its own keys', () => {
    expect(commands(['g', 'r'], 100, true)).toEqual([null, null])
  })

  test('knows no key that begins two things', () => {
    const texts = SHORTCUTS.map(({ keys }) => keys.join(' '))
    expect(new Set(texts).size).toBe(texts.length)
    const singles = SHORTCUTS.filter(({ keys }) => keys.length === 1).map(({ keys }) => keys[0])
    const firsts = SHORTCUTS.filter(({ keys }) => keys.length === 2).map(({ keys }) => keys[0])
    expect(singles.filter((key) => (firsts as readonly string[]).includes(key))).toEqual([])
  })
})

describe('isPaletteKey', () => {
  const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false }

  test.each([
    [{ ...none, key: 'k', ctrlKey: true }, true],
    [{ ...none, key: 'K', metaKey: true }, true],
    [{ ...none, key: 'k' }, false],
    [{ ...none, key: 'k', ctrlKey: true, shiftKey: true }, false],
    [{ ...none, key: 'k', ctrlKey: true, altKey: true }, false],
    [{ ...none, key: 'l', ctrlKey: true }, false],
  ])('%j: %s', (event, expected) => {
    expect(isPaletteKey(event)).toBe(expected)
  })
})
