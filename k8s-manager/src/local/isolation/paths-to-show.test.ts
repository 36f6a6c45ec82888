import { describe, expect, test } from '@jest/globals'
import { pathsToShow } from './paths-to-show.ts'

describe('pathsToShow', () => {
  test('leaves out what nothing hides', () => {
    expect(pathsToShow(['/opt/kre', '/data/bundles/a'], ['/data', '/tmp'])).toEqual([
      '/data/bundles/a',
    ])
  })

  test('leaves out what is seen with another path', () => {
    expect(pathsToShow(['/home/ada/kre', '/home/ada/kre/runners'], ['/home/ada'])).toEqual([
      '/home/ada/kre',
    ])
  })

  test('shows what a hidden folder covers inside of another path that is shown', () => {
    const repository = '/tmp/clone'
    const bundle = '/tmp/clone/.kre/cache/bundles/a'
    expect(pathsToShow([repository, bundle], ['/tmp', '/tmp/clone/.kre'])).toEqual([
      repository,
      bundle,
    ])
  })

  test('shows each path once, and takes a name for no folder that only begins like it', () => {
    expect(pathsToShow(['/tmp/a', '/tmp/ab', '/tmp/a'], ['/tmp'])).toEqual(['/tmp/a', '/tmp/ab'])
  })
})
