import { expect, test } from '@jest/globals'
import { createUploadSlots } from './upload-slots.ts'

const { signal } = new AbortController()

test('one user has half of the turns, so that another gets one', async () => {
  const take = createUploadSlots()
  const mine = [await take('ada', signal), await take('ada', signal)]
  let hasThird = false
  const third = take('ada', signal).then((release) => {
    hasThird = true
    return release
  })
  const theirs = await take('eve', signal)
  expect(hasThird).toBe(false)
  mine[0]?.()
  const release = await third
  for (const one of [release, mine[1], theirs]) one?.()
})

test('who leaves while waiting takes nothing along', async () => {
  const take = createUploadSlots()
  await take('ada', signal)
  await take('ada', signal)
  const gone = new AbortController()
  const waiting = take('ada', gone.signal)
  gone.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
  expect(typeof (await take('eve', signal))).toBe('function')
})
