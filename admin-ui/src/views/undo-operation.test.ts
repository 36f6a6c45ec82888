import { describe, expect, test } from '@jest/globals'
import { undoOf } from './undo-operation.ts'

describe('undoOf', () => {
  test.each([
    ['publish', 'v1', { operation: 'publish', versionName: 'v1', ifPublished: 'v2' }],
    ['publish', null, { operation: 'unpublish', versionName: 'v2', ifPublished: null }],
    ['publish', 'v2', null],
    ['unpublish', 'v2', { operation: 'publish', versionName: 'v2', ifPublished: '' }],
    ['start', 'v1', null],
    ['stop', 'v1', null],
    ['restart', 'v1', null],
    ['delete', null, null],
  ] as const)('%s of v2 where %j was published', (operation, published, expected) => {
    expect(undoOf(operation, 'v2', published)).toEqual(expected)
  })
})
