import { describe, expect, test } from '@jest/globals'
import { MINUTE_MS } from '@kre/contracts'
import { reloadPace } from './reload-servers.ts'

describe('servers are told to read their certificates', () => {
  let now = 0
  let authorities = 'before'
  const isDue = reloadPace(
    60 * MINUTE_MS,
    () => authorities,
    () => now,
  )
  const dueIn = (minutes: number) =>
    Array.from({ length: minutes }, () => {
      now += MINUTE_MS
      return isDue()
    })

  test('once an hour', () => {
    expect(dueIn(59)).not.toContain(true)
    expect(dueIn(1)).toEqual([true])
    expect(dueIn(59)).not.toContain(true)
  })

  test('when everybody knows of other authorities, and not before', () => {
    authorities = 'after'
    const [no, yes] = [false, true]
    expect(dueIn(7)).toEqual([no, no, no, yes, yes, yes, yes])
    expect(dueIn(59)).not.toContain(true)
    authorities = 'later'
    expect(dueIn(4)).toEqual([no, no, no, yes])
  })
})
