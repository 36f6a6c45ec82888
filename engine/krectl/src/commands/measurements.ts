import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { parseDuration } from '../output/parse-duration.ts'
import { table } from '../output/output.ts'

type Measurement = {
  date: string
  nodeId: string
  requestId: string | null
  fields: { key: string; value: string }[]
  tags: { key: string; value: string }[]
}
type Options = { runtime: string; since: string; until?: string }

export function measurementsCommand(version: Command, context: Context): void {
  version
    .command('measurements <version> [measurement]')
    .description('what nodes and KRE measured: the names, or the newest 1000 points of one')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--since <duration>', 'how far back', '1h')
    .option('--until <duration>', 'up to so long ago')
    .action(async (versionName: string, measurement: string | undefined, options: Options) => {
      const { runtime: runtimeId, since, until } = options
      const ago = (duration: string) => new Date(Date.now() - parseDuration(duration)).toISOString()
      const from = ago(since)
      const to = until === undefined ? null : ago(until)
      const client = await connectEngine(context)
      if (measurement === undefined) {
        const { measurementNames } = await client.graphql<{ measurementNames: string[] }>(
          `query ($runtimeId: ID!, $versionName: String!) {
            measurementNames(runtimeId: $runtimeId, versionName: $versionName) }`,
          { runtimeId, versionName },
        )
        const text = measurementNames.join('\n') || 'Nothing was measured yet.'
        return context.output.result(measurementNames, text)
      }
      const { measurements } = await client.graphql<{ measurements: Measurement[] }>(
        `query ($runtimeId: ID!, $versionName: String!, $measurement: String!, $from: String!, $to: String) {
          measurements(runtimeId: $runtimeId, versionName: $versionName, measurement: $measurement, from: $from, to: $to) {
            id date workflowId nodeId requestId fields { key value } tags { key value } } }`,
        { runtimeId, versionName, measurement, from, to },
      )
      context.output.result(measurements, describe(measurements, measurement))
    })
}

function describe(measurements: readonly Measurement[], name: string): string {
  const pairs = (all: Measurement['fields']) =>
    all.map(({ key, value }) => `${key}=${value}`).join(' ')
  return table(
    ['DATE', 'NODE', 'VALUES', 'TAGS', 'REQUEST'],
    measurements.map(({ date, nodeId, fields, tags, requestId }) => [
      date,
      nodeId || '-',
      pairs(fields),
      pairs(tags),
      requestId ?? '-',
    ]),
    `No points of "${name}" in that time.`,
  )
}
