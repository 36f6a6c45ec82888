import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { ENTRYPOINT, KreError, LOG_LEVELS } from '@kre/contracts'
import type { AdminClient } from '../api/admin-client.ts'
import { connectEngine } from '../api/connect-engine.ts'
import { findVersion, type Version } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { collect } from '../output/collect.ts'
import { cannotWrite } from '../output/cannot-write.ts'
import { UsageError } from '../output/exit-code.ts'
import { parseCount, parseDuration } from '../output/parse-duration.ts'

type NodeLog = {
  id: string
  date: string
  level: string
  nodeName: string
  workflowName: string
  message: string
  requestId: string | null
}
type LogOptions = {
  runtime: string
  follow?: boolean
  request?: string
  node?: string[]
  level?: string
  search?: string
  since: string
  until?: string
  workflow?: string[]
  limit: string
  all?: boolean
  out?: string
}

const FIELDS = 'id date level nodeName workflowName message requestId'

export function logsCommand(version: Command, context: Context): void {
  version
    .command('logs <version>')
    .description('what the nodes and the entrypoint wrote, oldest first')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('-f, --follow', 'go on with new lines')
    .option('--request <id>', 'one request only')
    .option('--node <node>', 'this node only, or entrypoint; may be given again', collect)
    .option('--level <level>', `this level and worse: ${LOG_LEVELS.join(', ')}`, parseLevel)
    .option('--workflow <name>', 'this workflow only; may be given again', collect)
    .option('--search <text>', 'lines that contain the text, in any case')
    .option('--since <duration>', 'how far back', '24h')
    .option('--until <duration>', 'up to so long ago')
    .option('--limit <lines>', 'at most so many lines of the past', '200')
    .option('--all', 'all lines of the past, in memory: --out takes any number')
    .option(
      '--out <file>',
      'write all of them into a file, however many: text, or JSON lines with --json',
    )
    .action(async (name: string, options: LogOptions) => {
      const since = new Date(Date.now() - parseDuration(options.since))
      const limit = options.all === true ? Infinity : parseCount('--limit', options.limit)
      const client = await connectEngine(context)
      const { id: versionId, workflows } = await findVersion(client, options.runtime, name)
      const nodeIds = options.node?.flatMap((node) => nodesCalled(node, name, workflows))
      const filters = {
        startDate: since.toISOString(),
        ...(options.until === undefined
          ? {}
          : { endDate: new Date(Date.now() - parseDuration(options.until)).toISOString() }),
        versionsIds: [versionId],
        ...(options.workflow === undefined ? {} : { workflowsNames: options.workflow }),
        ...(nodeIds === undefined ? {} : { nodeIds }),
        ...(options.level === undefined
          ? {}
          : {
              levels: LOG_LEVELS.slice(
                0,
                LOG_LEVELS.indexOf(options.level as (typeof LOG_LEVELS)[number]) + 1,
              ),
            }),
        ...(options.request === undefined ? {} : { requestId: options.request }),
        ...(options.search === undefined ? {} : { search: options.search }),
      }
      if (options.out !== undefined) {
        if (options.follow) throw new UsageError('--out writes the past: leave out --follow')
        return downloadLogs(client, context, options.runtime, filters, options.out)
      }
      const print = (log: NodeLog) => context.output.line(log, format(log))
      // With --follow the stream opens first, so that no line falls between past and present.
      const seen = new Set<string>()
      const pending: NodeLog[] = []
      let past = true
      const following = options.follow
        ? client.subscribe<{ watchNodeLogs: NodeLog }>(
            `subscription ($runtimeId: ID!, $versionName: String!, $filters: LogFilters!) {
              watchNodeLogs(runtimeId: $runtimeId, versionName: $versionName, filters: $filters) { ${FIELDS} } }`,
            { runtimeId: options.runtime, versionName: name, filters },
            ({ watchNodeLogs: log }) => (past ? pending.push(log) : print(log)),
            context.signal,
          )
        : Promise.resolve()
      following.catch(() => undefined) // awaited below
      for (const log of await pastLogs(client, options.runtime, filters, limit)) {
        seen.add(log.id)
        print(log)
      }
      past = false
      for (const log of pending) if (!seen.has(log.id)) print(log)
      await following.catch((error: unknown) => {
        if (!context.signal.aborted) throw error
      })
    })
}

/** Streams the lines into a file of its own, which appears when it is complete. */
async function downloadLogs(
  client: AdminClient,
  context: Context,
  runtimeId: string,
  filters: Record<string, string | readonly string[]>,
  out: string,
): Promise<void> {
  const query = new URLSearchParams({ format: context.output.json ? 'jsonl' : 'text' })
  for (const [name, values] of Object.entries(filters))
    for (const value of typeof values === 'string' ? [values] : values) query.append(name, value)
  const body = await client.stream(`/api/v1/runtimes/${runtimeId}/logs?${query}`, context.signal)
  const file = resolve(context.cwd, out)
  const draft = `${file}.${process.pid}.partial`
  try {
    await pipeline(body, createWriteStream(draft, { flags: 'wx' }), {
      signal: context.signal,
    }).catch(cannotWrite(file))
    await rename(draft, file).catch(cannotWrite(file))
  } finally {
    await rm(draft, { force: true }).catch(cannotWrite(file))
  }
  const { size: bytes } = await stat(file)
  context.output.result({ file, bytes }, `Written: ${file} (${bytes} bytes).`)
}

/** A node by its id (`workflow.node`), by the part behind the dot, or by its name; or the entrypoint. */
function nodesCalled(wanted: string, version: string, workflows: Version['workflows']): string[] {
  if (wanted === ENTRYPOINT) return [ENTRYPOINT]
  const nodes = workflows.flatMap((workflow) => workflow.nodes)
  const found = nodes.filter(
    ({ id, name }) => id === wanted || id.endsWith(`.${wanted}`) || name === wanted,
  )
  if (found.length > 0) return found.map(({ id }) => id)
  throw new KreError(
    'not-found',
    `version "${version}" has no node "${wanted}"; there are: ${nodes.map(({ id }) => id).join(', ')}, ${ENTRYPOINT}`,
  )
}

async function pastLogs(
  client: AdminClient,
  runtimeId: string,
  filters: Record<string, unknown>,
  limit: number,
): Promise<NodeLog[]> {
  const logs: NodeLog[] = []
  for (let cursor: string | null = null; logs.length < limit;) {
    const { logs: page }: { logs: { items: NodeLog[]; cursor: string | null } } =
      await client.graphql(
        `query ($runtimeId: ID!, $filters: LogFilters!, $cursor: String) {
        logs(runtimeId: $runtimeId, filters: $filters, cursor: $cursor) { cursor items { ${FIELDS} } } }`,
        { runtimeId, filters, cursor },
      )
    logs.push(...page.items)
    if (page.cursor === null) break
    cursor = page.cursor
  }
  return logs.slice(0, limit).toReversed()
}

function parseLevel(text: string): string {
  const level = text.toUpperCase()
  if (!(LOG_LEVELS as readonly string[]).includes(level))
    throw new UsageError(`--level is one of ${LOG_LEVELS.join(', ')}, not "${text}"`)
  return level
}

function format(log: NodeLog): string {
  const request = log.requestId === null ? '' : ` [${log.requestId}]`
  return `${log.date} ${log.level.padEnd(5)} ${log.nodeName || 'entrypoint'}${request} ${log.message}`
}
