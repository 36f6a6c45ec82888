import { expect, test } from '@jest/globals'
import { readLogFilter } from './log-filter.ts'
import { logsCommand } from './logs-command.ts'

test.each([
  ['', 'krectl version logs v1 -r demo --since 24h --follow'],
  [
    'text=it%27s&level=WARN&node=wf.a&request=abc&hours=1',
    `krectl version logs v1 -r demo --since 1h --search 'it'\\''s' --level WARN --node wf.a --request abc --follow`,
  ],
  ['around=2026-01-01T00:00:00.000Z&line=l1', 'krectl version logs v1 -r demo --since 7d'],
])('of %j is %j', (search, command) => {
  expect(logsCommand('demo', 'v1', readLogFilter(new URLSearchParams(search)))).toBe(command)
})
