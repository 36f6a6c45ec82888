import { describe, expect, test } from '@jest/globals'
import { groupStackable, rowsOf, splitTensors, stackTensors } from './stack-tensors.ts'
import type { Tensor, TensorData } from './tensor.ts'

const tensor = (data: TensorData, ...shape: number[]): Tensor => ({
  type: Array.isArray(data) ? 'string' : 'float32',
  data,
  shape,
})
const rows = (count: number, width: number, first = 0) =>
  tensor(
    Float32Array.from({ length: count * width }, (_, i) => first + i),
    count,
    width,
  )

describe('stackTensors', () => {
  test('puts rows one after the other, and splitTensors takes them apart again', () => {
    const items = [
      { x: rows(1, 2), t: tensor(['a'], 1) },
      { x: rows(3, 2, 10), t: tensor(['b', 'c', 'd'], 3) },
    ]
    const stacked = stackTensors(items)
    expect(stacked['x']).toEqual(tensor(Float32Array.of(0, 1, 10, 11, 12, 13, 14, 15), 4, 2))
    expect(stacked['t']).toEqual(tensor(['a', 'b', 'c', 'd'], 4))
    expect(splitTensors(stacked, [1, 3])).toEqual(items)
  })

  test('leaves a single message as it is', () => {
    const item = { x: rows(2, 2) }
    expect(stackTensors([item])).toBe(item)
  })
})

describe('groupStackable', () => {
  test('puts together what differs in the number of rows alone', () => {
    const items = [
      { x: rows(1, 2) },
      { x: rows(1, 3) },
      { x: rows(2, 2) },
      { x: rows(1, 2), y: rows(2, 2) },
      { x: tensor(new Float32Array(1)) },
    ]
    expect(groupStackable(items)).toEqual([[0, 2], [1], [3], [4]])
    expect(items.map(rowsOf)).toEqual([1, 1, 2, null, null])
  })
})

describe('splitTensors', () => {
  test('refuses outputs that have not a row for each row', () => {
    expect(() => splitTensors({ sum: rows(1, 2) }, [1, 1])).toThrow(
      'output "sum" of the model has 1 rows for 2 rows of input',
    )
  })
})
