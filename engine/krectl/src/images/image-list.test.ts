import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { IMAGES } from './image-list.ts'

const ROOT = join(import.meta.dirname, '../../../..')

test('what bundles of TypeScript can import without bringing it is in the image of their nodes', () => {
  const text = readFileSync(join(ROOT, 'docs/bundles.md'), 'utf8')
  const [, promised = ''] = /can import without bringing it: (.+)\.$/m.exec(text) ?? []
  const packages = [...promised.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  expect(packages).toContain('onnxruntime-node')
  const left = Object.keys(IMAGES['runner-typescript'].omit)
  expect(packages.filter((name = '') => left.includes(name))).toEqual([])
})
