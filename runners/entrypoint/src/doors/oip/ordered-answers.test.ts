import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createOrderedAnswers, type Turn } from './ordered-answers.ts'

/** What is written is a number each. */
function open(canWrite: () => boolean = () => true) {
  const written: number[] = []
  let held = 0
  const turns = createOrderedAnswers({
    write(message) {
      written.push(message[0] ?? -1)
      return canWrite()
    },
    hold: (bytes) => void (held += bytes),
    release: (bytes) => void (held -= bytes),
  })
  return {
    turns,
    written,
    held: () => held,
    /** Holds 10 bytes. @returns the turns that have begun. */
    add: (isLong = false) => {
      const begun: Turn[] = []
      held += 10
      turns.open(10, () => ({ isLong, run: (turn) => void begun.push(turn) }))
      return begun
    },
  }
}

describe('turns', () => {
  test('answers come in the order of requests, in whatever order they are ready', () => {
    const plan = fc.array(fc.record({ isLong: fc.boolean(), pick: fc.nat() }), { maxLength: 20 })
    fc.assert(
      fc.property(plan, (requests) => {
        const scene = open()
        const all = requests.map(({ isLong }) => scene.add(isLong))
        const waiting = new Set(all.keys())
        for (const { pick } of requests) {
          const ready = [...waiting].filter((i) => (all[i]?.length ?? 0) > 0)
          const i = ready[pick % ready.length] ?? -1
          all[i]?.[0]?.write(Uint8Array.of(i))
          all[i]?.[0]?.end()
          waiting.delete(i)
        }
        expect(scene.written).toEqual([...all.keys()])
        expect({ held: scene.held(), size: scene.turns.size }).toEqual({ held: 0, size: 0 })
      }),
    )
  })

  test('a long one begins when its turn has come, and those behind it after that', () => {
    const { add, written } = open()
    const [first, long, last] = [add(), add(true), add()]
    expect([first.length, long.length, last.length]).toEqual([1, 0, 0])
    first[0]?.end()
    expect([long.length, last.length]).toEqual([1, 1])
    last[0]?.write(Uint8Array.of(9))
    last[0]?.end()
    for (const part of [1, 2]) long[0]?.write(Uint8Array.of(part))
    long[0]?.end()
    expect(written).toEqual([1, 2, 9])
  })

  test('nothing begins while the caller does not read', () => {
    let canWrite = false
    const { add, turns } = open(() => canWrite)
    const first = add()
    expect(first[0]?.write(Uint8Array.of(1))).toBe(false)
    first[0]?.end()
    const second = add()
    expect(second).toHaveLength(0)
    canWrite = true
    turns.drained()
    expect(second).toHaveLength(1)
  })

  test('abandons all, holds nothing afterwards, and passes over what comes late', () => {
    const { add, turns, held, written } = open()
    const begun = [add(), add()].map(([turn]) => turn as Turn)
    let gone = 0
    for (const turn of begun) turn.onGone = () => void gone++
    begun[1]?.write(Uint8Array.of(1))
    turns.abandon()
    for (const turn of begun) {
      expect(turn.write(Uint8Array.of(2))).toBe(true)
      turn.end()
    }
    expect({ gone, held: held(), written, size: turns.size }).toEqual({
      gone: 2,
      held: 0,
      written: [],
      size: 0,
    })
  })

  test('a job that is not known yet holds up those behind it', () => {
    const { turns, add } = open()
    let isKnown = false
    const ran: string[] = []
    turns.open(0, () => (isKnown ? { isLong: false, run: () => void ran.push('late') } : null))
    const second = add()
    expect(second).toHaveLength(0)
    isKnown = true
    turns.advance()
    expect([ran, second.length]).toEqual([['late'], 1])
  })
})
