import { describe, expect, test } from '@jest/globals'
import { paths } from './path-builder.ts'

describe('paths', () => {
  test('stay what they are, since people keep links', () => {
    expect({
      runtimes: paths.runtimes(),
      newRuntime: paths.newRuntime(),
      versions: paths.versions('demo'),
      upload: paths.upload('demo'),
      access: paths.access('demo'),
      compare: paths.compare('demo'),
      compared: paths.compare('demo', { from: 'v1', to: 'v 2' }),
      status: paths.status('demo', 'v1'),
      logs: paths.logs('demo', 'v1'),
      nodeLogs: paths.logs('demo', 'v1', { node: 'wf.a' }),
      configuration: paths.configuration('demo', 'v1'),
      requests: paths.requests('demo', 'v1'),
      request: paths.request('demo', 'v1', 'r1'),
      tryIt: paths.tryIt('demo', 'v1'),
      tryRpc: paths.tryIt('demo', 'v1', 'Greet'),
      tryWorkflow: paths.tryWorkflow('demo', 'v1', 'wf'),
      documents: paths.documents('demo', 'v1'),
      document: paths.documents('demo', 'v1', 'docs/a b.md'),
      predictions: paths.predictions('demo', 'v1'),
      profile: paths.profile(),
      users: paths.users(),
      user: paths.user('a+x@b.c'),
      settings: paths.settings(),
      audit: paths.audit(),
      auditOfVersion: paths.audit({ runtime: 'demo', version: 'id-1' }),
    }).toEqual({
      runtimes: '/',
      newRuntime: '/new-runtime',
      versions: '/runtimes/demo/versions',
      upload: '/runtimes/demo/new-version',
      access: '/runtimes/demo/access',
      compare: '/runtimes/demo/compare',
      compared: '/runtimes/demo/compare?from=v1&to=v+2',
      status: '/runtimes/demo/versions/v1/status',
      logs: '/runtimes/demo/versions/v1/logs',
      nodeLogs: '/runtimes/demo/versions/v1/logs?node=wf.a',
      configuration: '/runtimes/demo/versions/v1/configuration',
      requests: '/runtimes/demo/versions/v1/requests',
      request: '/runtimes/demo/versions/v1/requests/r1',
      tryIt: '/runtimes/demo/versions/v1/try-it',
      tryRpc: '/runtimes/demo/versions/v1/try-it/Greet',
      tryWorkflow: '/runtimes/demo/versions/v1/try-it?workflow=wf',
      documents: '/runtimes/demo/versions/v1/documentation',
      document: '/runtimes/demo/versions/v1/documentation?path=docs%2Fa+b.md',
      predictions: '/runtimes/demo/versions/v1/predictions',
      profile: '/profile',
      users: '/users',
      user: '/users/account?email=a%2Bx%40b.c',
      settings: '/settings',
      audit: '/audit',
      auditOfVersion: '/audit?runtime=demo&version=id-1',
    })
  })

  test('keep hostile names inside their part', () => {
    expect(paths.status('../..', 'a/b?c#d')).toBe('/runtimes/..%2F../versions/a%2Fb%3Fc%23d/status')
    expect(paths.logs('r', 'v', { node: 'a&b=c' })).toBe(
      '/runtimes/r/versions/v/logs?node=a%26b%3Dc',
    )
  })
})
