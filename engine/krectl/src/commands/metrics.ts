import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { parseDuration } from '../output/parse-duration.ts'
import { table } from '../output/output.ts'

/** Longest table of classes on a screen; --json has all of them. */
const CLASSES_SHOWN = 50

type Options = { runtime: string; since: string; until: string }
type Average = { micro: number; macro: number; weighted: number }
type Metrics = {
  rows: number
  hits: number
  misses: number
  values: {
    accuracy: Average & { total: number }
    missing: number
    newLabels: number
  }
  averages: Record<'precision' | 'recall' | 'f1' | 'accuracy', Average>
  classes: {
    label: string
    support: number
    predicted: number
    hits: number
    precision: number
    recall: number
    f1: number
    accuracy: number
  }[]
}

const AVERAGE = '{ micro macro weighted }'
const QUERY = `query ($runtimeId: ID!, $versionName: String!, $startDate: String!, $endDate: String!) {
  metrics(runtimeId: $runtimeId, versionName: $versionName, startDate: $startDate, endDate: $endDate) {
    rows hits misses values { accuracy { total micro macro weighted } missing newLabels }
    averages { precision ${AVERAGE} recall ${AVERAGE} f1 ${AVERAGE} accuracy ${AVERAGE} }
    classes { label support predicted hits precision recall f1 accuracy } } }`

export function metricsCommand(version: Command, context: Context): void {
  version
    .command('metrics <version>')
    .description('how good its predictions were: accuracy, precision, recall, by class')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--since <duration>', 'how far back', '24h')
    .option('--until <duration>', 'up to so long ago', '0s')
    .action(async (versionName: string, options: Options) => {
      const now = Date.now()
      const client = await connectEngine(context)
      const { metrics } = await client.graphql<{ metrics: Metrics | null }>(QUERY, {
        runtimeId: options.runtime,
        versionName,
        startDate: new Date(now - parseDuration(options.since)).toISOString(),
        endDate: new Date(now - parseDuration(options.until)).toISOString(),
      })
      const nothing = 'No predictions in that time: nodes save them with ctx.prediction.save.'
      context.output.result(metrics, metrics === null ? nothing : describe(metrics))
    })
}

function describe({ rows, hits, misses, values, averages, classes }: Metrics): string {
  const shown = classes.slice(0, CLASSES_SHOWN)
  const rest = classes.length - shown.length
  return [
    `${rows} predictions: ${hits} right, ${misses} wrong; ${values.missing} % with missing values, ${values.newLabels} % with new labels`,
    '',
    table(
      ['', 'MICRO', 'MACRO', 'WEIGHTED'],
      Object.entries(averages).map(([name, { micro, macro, weighted }]) => [
        name,
        share(micro),
        share(macro),
        share(weighted),
      ]),
      '',
    ),
    '',
    table(
      ['CLASS', 'TRUE', 'SAID', 'RIGHT', 'PRECISION', 'RECALL', 'F1', 'ACCURACY'],
      shown.map((one) => [
        one.label,
        String(one.support),
        String(one.predicted),
        String(one.hits),
        share(one.precision),
        share(one.recall),
        share(one.f1),
        share(one.accuracy),
      ]),
      'No classes: all predictions have an error.',
    ),
    ...(rest > 0 ? [`… and ${rest} more classes: --json has them`] : []),
  ].join('\n')
}

function share(value: number): string {
  return value.toFixed(3)
}
