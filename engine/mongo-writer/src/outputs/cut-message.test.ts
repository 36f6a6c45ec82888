import { expect, test } from '@jest/globals'
import { cutMessage } from './cut-message.ts'

test('leaves a message that fits alone', () => {
  expect(cutMessage('x'.repeat(100), 100)).toBe('x'.repeat(100))
})

test('says how much there was of one that does not', () => {
  expect(cutMessage('x'.repeat(1_000), 100)).toBe(`${'x'.repeat(80)} … (1000 characters)`)
})

test('cuts no character in two', () => {
  for (const padding of ['', 'x']) {
    const cut = cutMessage(padding + '😀'.repeat(500), 100)
    expect(cut.length).toBeLessThanOrEqual(100)
    expect(cut.isWellFormed()).toBe(true)
  }
})
