import { resolve } from 'node:path'
import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import { versionPath } from '../api/version-path.ts'
import type { Context } from '../context.ts'
import { saveBody } from '../output/save-body.ts'

/** What a version can be had as: the route, and the ending of the file. */
const FORMS = {
  bundle: { route: 'bundle', ending: 'krt' },
  descriptors: { route: 'descriptor-set', ending: 'pb' },
} as const

export function downloadCommand(version: Command, context: Context): void {
  version
    .command('download <version>')
    .description('the bundle of a version as it runs: a canonical .krt file')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--descriptors', 'instead, the messages of its rpcs: a binary FileDescriptorSet')
    .option('-o, --output <file>', 'a new file (default: <version>.krt, or .pb)')
    .action(
      async (name: string, options: { runtime: string; descriptors?: true; output?: string }) => {
        const { route, ending } = FORMS[options.descriptors === true ? 'descriptors' : 'bundle']
        const client = await connectEngine(context)
        const body = await client.stream(
          `${versionPath(options.runtime, name)}/${route}`,
          context.signal,
        )
        const file = resolve(context.cwd, options.output ?? `${name}.${ending}`)
        const bytes = await saveBody(body, file, { signal: context.signal, replace: false })
        context.output.result({ file, bytes }, `Written: ${file} (${bytes} bytes).`)
      },
    )
}
