import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { allocateMessage } from './large-buffers.ts'

const MESSAGE_BYTES = 64 * 1024
const MESSAGES = 8_000

test('the memory of messages that are let go is given back long before it adds up', async () => {
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  let kept = allocateMessage(MESSAGE_BYTES)
  for (let i = 0; i < MESSAGES; i++) {
    kept = allocateMessage(MESSAGE_BYTES)
    kept[0] = i
    if (i % 16 > 0) continue
    await nextTurn()
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  expect(kept).toHaveLength(MESSAGE_BYTES)
  expect(most).toBeLessThan(60 * 1024 * 1024)
})

test('what is held keeps its bytes through collections', async () => {
  const held = Array.from({ length: 100 }, (_, i) => allocateMessage(MESSAGE_BYTES).fill(i))
  for (let i = 0; i < 1_000; i++) {
    allocateMessage(MESSAGE_BYTES).fill(255)
    if (i % 16 === 0) await nextTurn()
  }
  for (const [i, bytes] of held.entries()) expect(bytes.every((byte) => byte === i)).toBe(true)
})
