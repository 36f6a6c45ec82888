import { describe, expect, test } from '@jest/globals'
import {
  boundsOf,
  isBackwards,
  metricsCommand,
  readRange,
  wholeMinutesOf,
  withRange,
} from './prediction-range.ts'

const NOW = Date.parse('2026-02-01T00:00:00Z')
const read = (query: string) => readRange(new URLSearchParams(query))

describe('the range of predictions', () => {
  test.each([
    ['', { kind: 'last', days: 7 }],
    ['days=30', { kind: 'last', days: 30 }],
    ['days=31', { kind: 'last', days: 7 }],
    ['from=2026-01-01T00:00:00Z', { kind: 'last', days: 7 }],
    ['from=soon&to=later&days=1', { kind: 'last', days: 1 }],
    [
      'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00%2B01:00',
      { kind: 'between', from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T23:00:00.000Z' },
    ],
  ] as const)('of the address %j is %j', (query, range) => {
    expect(read(query)).toEqual(range)
  })

  test('comes back from the address as it was, beside what else stands there', () => {
    for (const query of [
      'days=1',
      'days=365',
      'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z',
    ]) {
      const next = withRange(new URLSearchParams('sort=-f1&days=30'), read(query))
      expect(readRange(next)).toEqual(read(query))
      expect(next.get('sort')).toBe('-f1')
    }
    expect(withRange(new URLSearchParams('days=30'), read('')).toString()).toBe('')
  })

  test('ends now, unless two moments are named', () => {
    expect(boundsOf(read('days=1'), NOW)).toEqual({
      startDate: '2026-01-31T00:00:00.000Z',
      endDate: '2026-02-01T00:00:00.000Z',
    })
    expect(boundsOf(read('from=2026-01-01&to=2026-01-02'), NOW)).toEqual({
      startDate: '2026-01-01T00:00:00.000Z',
      endDate: '2026-01-02T00:00:00.000Z',
    })
  })

  test('becomes two whole minutes that hold all of it', () => {
    expect(wholeMinutesOf(read('days=1'), NOW + 30_500)).toEqual({
      kind: 'between',
      from: '2026-01-31T00:00:00.000Z',
      to: '2026-02-01T00:01:00.000Z',
    })
  })

  test('can be backwards, which is told', () => {
    expect(isBackwards({ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' })).toBe(true)
    expect(isBackwards({ from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' })).toBe(false)
  })

  test('has a command that counts from now', () => {
    expect(metricsCommand('shop', 'v1', read('days=30'), NOW)).toBe(
      'krectl version metrics v1 -r shop --since 30d',
    )
    const day = read('from=2026-01-30T00:00:30Z&to=2026-01-31T00:00:30Z')
    expect(metricsCommand('shop', 'v1', day, NOW)).toBe(
      'krectl version metrics v1 -r shop --since 2880m --until 1439m',
    )
    const open = read('from=2026-01-31T00:00:00Z&to=2026-03-01T00:00:00Z')
    expect(metricsCommand('shop', 'v1', open, NOW)).toBe(
      'krectl version metrics v1 -r shop --since 1440m',
    )
  })
})
