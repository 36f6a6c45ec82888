import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'

type Difference = {
  area: string
  name: string
  change: string
  fields: { name: string; before: string | null; after: string | null }[]
}
type Answer = {
  from: { manifest: string }
  to: { manifest: string }
  versionComparison: { isSameBundle: boolean; leftOut: number; differences: Difference[] }
}

const COMPARE = `query ($runtimeId: ID!, $from: String!, $to: String!) {
  from: version(runtimeId: $runtimeId, name: $from) { manifest }
  to: version(runtimeId: $runtimeId, name: $to) { manifest }
  versionComparison(runtimeId: $runtimeId, fromVersionName: $from, versionName: $to) {
    isSameBundle leftOut differences { area name change fields { name before after } } } }`

/** Manifests that differ in more lines are not compared by lines. */
const EDITS_MAX = 1_000

/** `version diff`: what another version of the runtime has otherwise. */
export function diffCommand(version: Command, context: Context): void {
  version
    .command('diff <from-version> <to-version>')
    .description('what another version of the runtime has otherwise, and both manifests by lines')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .action(async (from: string, to: string, { runtime }: { runtime: string }) => {
      const client = await connectEngine(context)
      const answer = await client.graphql<Answer>(COMPARE, { runtimeId: runtime, from, to })
      const { versionComparison: comparison } = answer
      const patch = await manifestPatch({ name: from, ...answer.from }, { name: to, ...answer.to })
      context.output.result(
        { from, to, ...comparison, manifest: patch },
        [...describe(comparison), '', patch ?? 'The manifests have little in common.'].join('\n'),
      )
    })
}

type Named = { readonly name: string; readonly manifest: string }

/** Null for texts that have little in common. */
async function manifestPatch(from: Named, to: Named): Promise<string | null> {
  const { createTwoFilesPatch } = await import('diff')
  const texts = [from.name, to.name, from.manifest, to.manifest] as const
  const patch = createTwoFilesPatch(...texts, undefined, undefined, { maxEditLength: EDITS_MAX })
  return patch?.trimEnd() ?? null
}

function describe({ isSameBundle, leftOut, differences }: Answer['versionComparison']): string[] {
  return [
    ...(isSameBundle ? ['Both have the same bundle.'] : []),
    ...(differences.length === 0 ? ['Nothing differs, as far as it is compared.'] : []),
    ...differences.flatMap(({ area, name, change, fields }) => [
      [area, name, change.toLowerCase()].filter((word) => word !== '').join(' '),
      ...fields.map(
        (field) => `  ${field.name}: ${field.before ?? 'not said'} -> ${field.after ?? 'not said'}`,
      ),
    ]),
    ...(leftOut > 0 ? [`${leftOut} more are not shown.`] : []),
  ]
}
