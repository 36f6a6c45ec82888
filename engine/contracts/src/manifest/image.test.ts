import { describe, expect, test } from '@jest/globals'
import { parseImage, resolveRunner } from './image.ts'

describe('resolveRunner', () => {
  test.each([
    ['konstellation/kre-py:latest', 'python'],
    ['kre-py', 'python'],
    ['localhost/kre-py', 'python'],
    ['registry.example:5000/a/b/kre-py:3.1', 'python'],
    [`konstellation/kre-py:1@sha256:${'a'.repeat(64)}`, 'python'],
    ['konstellation/kre-ts:1', 'typescript'],
    ['konstellation/kre-typescript:1', 'typescript'],
    ['konstellation/kre-node:1', 'typescript'],
    ['konstellation/kre-onnx:1', 'onnx'],
  ])('%s runs on %s', (image, runner) => {
    expect(resolveRunner(image, 'a')).toEqual({ runner })
  })

  test.each([
    ['acme/tool:1', 'src/a.py', 'write "konstellation/kre-py:<tag>"'],
    ['acme/tool:1', 'src/a.ts', 'write "konstellation/kre-ts:<tag>"'],
    ['acme/tool:1', 'models/a.onnx', 'write "konstellation/kre-onnx:<tag>"'],
    ['acme/kre-pi:1', 'bin/a', 'write "konstellation/kre-py:<tag>"'],
    ['acme/tool:1', 'bin/a', 'the last part of its path, before the tag, selects the runner'],
    [
      'konstellation/kre-go:1',
      'bin/a',
      'Go nodes do not run on this engine yet: write the node in TypeScript or Python',
    ],
    ['kre-py/tool', 'bin/a', 'the last part of its path, before the tag, selects the runner'],
    ['constructor', 'bin/a', 'the last part of its path, before the tag, selects the runner'],
  ])('%s with %s is unknown, with a hint', (image, src, hint) => {
    expect(resolveRunner(image, src)).toEqual({
      unknown: {
        message: `no runner is known for image "${image}"; known are kre-py, kre-ts, kre-typescript, kre-node, kre-onnx`,
        hint,
      },
    })
  })

  test('follows the rules of the installation first', () => {
    const rules = { runners: { tool: 'python' as const, 'kre-ts': 'python' as const } }
    expect(resolveRunner('acme/tool:1', 'a', rules)).toEqual({ runner: 'python' })
    expect(resolveRunner('acme/kre-ts:1', 'a', rules)).toEqual({ runner: 'python' })
  })
})

describe('parseImage', () => {
  test.each([
    ['a', { name: 'a', tag: null, digest: null }],
    ['host:5000/a:1', { name: 'a', tag: '1', digest: null }],
    ['a:5000', { name: 'a', tag: '5000', digest: null }],
    ['a__b/c.d-e:V1.0_x', { name: 'c.d-e', tag: 'V1.0_x', digest: null }],
    ['Host.example/a', { name: 'a', tag: null, digest: null }],
  ])('reads %s', (image, expected) => {
    expect(parseImage(image)).toEqual(expected)
  })

  test.each([
    '',
    '/a',
    'a/',
    'a//b',
    'A',
    'a b',
    'a:',
    'a:-1',
    'a@',
    'a@sha256:xyz',
    'a:b:c',
    'http://a/b',
    'a___b',
    'a/-b',
    `a:${'t'.repeat(129)}`,
    'a'.repeat(256),
  ])('refuses %j', (image) => {
    expect(parseImage(image)).toBeNull()
  })
})
