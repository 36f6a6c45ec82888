import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'

export function engineMetricsCommand(program: Command, context: Context): void {
  program
    .command('metrics')
    .description("counts of the engine and of all versions' processes, in Prometheus's text format")
    .action(async () => {
      const client = await connectEngine(context)
      const body = Readable.fromWeb((await client.stream('/metrics', context.signal)) as never)
      if (context.output.json) return context.output.result({ metrics: await text(body) }, '')
      await pipeline(body, context.stdout, { end: false })
    })
}
