import { describe, expect, test } from '@jest/globals'
import {
  baseCall,
  BUILDERS,
  imageCall,
  imageLabels,
  saveCall,
  type ImageBuild,
} from './build-calls.ts'

const build: ImageBuild = {
  builder: 'podman',
  image: 'engine',
  reference: 'kre/engine:v1',
  platform: { os: 'linux', cpu: 'arm64' },
  context: '/context',
  containerfile: '/Containerfile',
  bases: { node: 'node@sha256:1', python: 'python@sha256:2', pythonSite: null },
  labels: { a: 'b c' },
  epoch: 1_700_000_000,
}

describe('the call of a builder', () => {
  test.each(['podman', 'buildah'] as const)(
    '%s names target, platform, bases and time',
    (builder) => {
      expect(imageCall({ ...build, builder })).toEqual({
        program: builder,
        environment: {},
        args: [
          'build',
          '--file',
          '/Containerfile',
          '--tag',
          'kre/engine:v1',
          '--platform',
          'linux/arm64',
          '--timestamp',
          '1700000000',
          '--label',
          'a=b c',
          '--target',
          'engine',
          '--build-arg',
          'NODE_BASE=node@sha256:1',
          '--build-arg',
          'PYTHON_BASE=python@sha256:2',
          '/context',
        ],
      })
    },
  )

  test('Docker gets the time as its builder takes it, and builds one target alone', () => {
    const { args, environment } = imageCall({ ...build, builder: 'docker' })
    expect(args).toEqual(expect.arrayContaining(['SOURCE_DATE_EPOCH=1700000000']))
    expect(args).not.toContain('--timestamp')
    expect(environment).toEqual({ DOCKER_BUILDKIT: '1' })
  })

  test('names where the CPython of the base looks, when it is not the usual place', () => {
    const bases = { ...build.bases, pythonSite: '/usr/lib/python3/dist-packages' }
    expect(imageCall({ ...build, bases }).args).toContain(
      'PYTHON_SITE=/usr/lib/python3/dist-packages',
    )
  })

  test('a base has no target, and the context is last', () => {
    const { args } = baseCall(build)
    expect(args).not.toContain('--target')
    expect(args.at(-1)).toBe('/context')
  })

  test.each(BUILDERS)('%s saves an image into a file', (builder) => {
    const { program, args } = saveCall(builder, 'kre/engine:v1', '/file.tar')
    expect({ program, words: args.join(' ') }).toEqual({
      program: builder,
      words: expect.stringMatching(/kre\/engine:v1/),
    })
    expect(args.join(' ')).toContain('/file.tar')
  })
})

test('labels are those of OCI, with the time of the commit', () => {
  const labels = imageLabels({
    title: 'KRE engine',
    description: 'x',
    version: 'v0.1.0',
    revision: null,
    epoch: 1_700_000_000,
    base: 'node@sha256:1',
  })
  expect(labels).toMatchObject({
    'org.opencontainers.image.created': '2023-11-14T22:13:20.000Z',
    'org.opencontainers.image.base.name': 'node@sha256:1',
  })
  expect(Object.keys(labels).every((name) => name.startsWith('org.opencontainers.image.'))).toBe(
    true,
  )
  expect(labels).not.toHaveProperty('org.opencontainers.image.revision')
})
