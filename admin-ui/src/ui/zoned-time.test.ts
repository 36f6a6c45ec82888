import { describe, expect, test } from '@jest/globals'
import { fromMinuteField, toMinuteField, zonedDay } from './zoned-time.ts'

describe('minute fields', () => {
  test.each(['local', 'UTC'] as const)('come back as they were in %s', (zone) => {
    for (const at of ['2026-01-31T12:34:00.000Z', '2026-07-01T00:00:00.000Z'])
      expect(fromMinuteField(toMinuteField(at, zone), zone)).toBe(at)
  })

  test('are of the zone that is shown', () => {
    expect(toMinuteField('2026-01-31T12:34:56Z', 'UTC')).toBe('2026-01-31T12:34')
    const local = new Date(2026, 0, 31, 12, 34)
    expect(toMinuteField(local.toISOString(), 'local')).toBe('2026-01-31T12:34')
    expect(fromMinuteField('2026-01-31T12:34', 'local')).toBe(local.toISOString())
  })

  test.each(['', 'x', '2026-01-31', '2026-02-31T12:00', '2026-13-01T12:00'])(
    'that are not filled, as %j, are no time',
    (text) => {
      expect(fromMinuteField(text, 'UTC')).toBeNull()
    },
  )

  test('stay empty for what is no time', () => {
    expect(toMinuteField('soon', 'UTC')).toBe('')
  })
})

describe('zonedDay', () => {
  test('names the zone of the day', () => {
    expect(zonedDay('2026-01-31', 'UTC')).toBe('2026-01-31T00:00:00Z')
    expect(Date.parse(zonedDay('2026-01-31', 'local'))).toBe(new Date(2026, 0, 31).getTime())
  })

  test('is empty for what is no day', () => {
    for (const day of ['', '31.1.2026', '2026-02-30']) expect(zonedDay(day, 'UTC')).toBe('')
  })
})
