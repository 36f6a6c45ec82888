import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { datatypeOf, type Element } from './datatype.ts'
import { decodeRaw, encodeRaw } from './raw-tensor.ts'

const elements: Record<string, fc.Arbitrary<Element>> = {
  BOOL: fc.boolean(),
  INT32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  UINT32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  INT64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  UINT64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  FP32: fc.float(),
  FP64: fc.double(),
  BYTES: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
}

describe('raw tensors', () => {
  test.each(Object.keys(elements))('of %s come back as they were', (name) => {
    const datatype = datatypeOf(name)
    const arbitrary = elements[name]
    if (datatype === undefined || arbitrary === undefined) throw new Error(name)
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 20 }), (values) => {
        const bytes = encodeRaw(datatype, values)
        // At any place in memory.
        const shifted = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)
        expect(decodeRaw(datatype, shifted, values.length, 't')).toEqual(values)
        expect(() => decodeRaw(datatype, bytes, values.length + 1, 't')).toThrow('tensor "t"')
      }),
    )
  })

  test('of any bytes are read or refused, never misread', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(elements)),
        fc.uint8Array({ maxLength: 64 }),
        fc.integer({ min: 0, max: 20 }),
        (name, bytes, count) => {
          const datatype = datatypeOf(name)
          if (datatype === undefined) throw new Error(name)
          let read: Element[]
          try {
            read = decodeRaw(datatype, bytes, count, 't')
          } catch (error) {
            expect((error as { code: string }).code).toBe('invalid-argument')
            return
          }
          expect(read).toHaveLength(count)
          // NaN has many forms, and comes back as one of them.
          if (!read.some(Number.isNaN))
            expect(Buffer.from(encodeRaw(datatype, read))).toEqual(Buffer.from(bytes))
        },
      ),
    )
  })
})
