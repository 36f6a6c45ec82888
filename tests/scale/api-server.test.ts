import { describe, expect, test } from '@jest/globals'
import { lessCounts, readApiCounts } from './api-server.ts'

const line = (
  verb: string,
  resource: string,
  more = 'dry_run="",subresource=""',
  count = 3,
  scope = 'namespace',
) =>
  `apiserver_request_total{code="200",component="apiserver",group="apps",resource="${resource}",scope="${scope}",verb="${verb}",version="v1",${more}} ${count}`

describe("an API server's counts", () => {
  test('tell what only an engine does from what controllers and machines do', () => {
    const metrics = [
      '# TYPE apiserver_request_total counter',
      line('APPLY', 'deployments'),
      line('PATCH', 'secrets'),
      line('PATCH', 'services', 'dry_run="All",subresource=""'),
      line('PATCH', 'pods'),
      line('PATCH', 'pods', 'dry_run="",subresource="status"'),
      line('PUT', 'deployments', 'dry_run="",subresource="status"'),
      line('LIST', 'pods'),
      line('LIST', 'leases'),
      line('LIST', 'pods', undefined, 7, 'cluster'),
      line('WATCH', 'pods', 'dry_run="",subresource=""', 1e6),
    ].join('\n')
    expect(readApiCounts(metrics)).toEqual({ writes: 6, dryRuns: 3, lists: 3, watches: 1e6 })
  })

  test('are taken as differences', () => {
    const before = { writes: 1, dryRuns: 2, lists: 3, watches: 4 }
    const after = { writes: 5, dryRuns: 2, lists: 3, watches: 5 }
    expect(lessCounts(after, before)).toEqual({ writes: 4, dryRuns: 0, lists: 0, watches: 1 })
  })
})
