import { expect, test } from '@jest/globals'
import { createWakeCaller } from './call-to-wake.ts'

const workflow = (name: string, version = 'v1') => ({ runtimeId: 'rt', version, workflow: name })

test('one that waits calls once a second for each workflow', () => {
  const calls: string[] = []
  let now = 0
  const wake = createWakeCaller(
    (subject, data) => calls.push(`${subject} ${Buffer.from(data).toString()}`),
    () => now,
  )
  for (; now < 2_000; now += 100) {
    wake(workflow('a'))
    wake(workflow('b', 'v2'))
  }
  expect(calls).toEqual([
    'x.rt.v1._c.wake {"workflow":"a"}',
    'x.rt.v2._c.wake {"workflow":"b"}',
    'x.rt.v1._c.wake {"workflow":"a"}',
    'x.rt.v2._c.wake {"workflow":"b"}',
  ])
})

test('a call that the broker did not take is said again at once, and is no failure of who waits', () => {
  let isAway = true
  const calls: string[] = []
  const wake = createWakeCaller(
    (subject) => {
      if (isAway) throw new Error('the broker does not keep up')
      calls.push(subject)
    },
    () => 0,
  )
  wake(workflow('a'))
  isAway = false
  wake(workflow('a'))
  expect(calls).toEqual(['x.rt.v1._c.wake'])
})
