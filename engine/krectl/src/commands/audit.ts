import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import type { Command } from 'commander'
import { KreError, KiB } from '@kre/contracts'
import type { AdminClient } from '../api/admin-client.ts'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { collect } from '../output/collect.ts'
import { UsageError } from '../output/exit-code.ts'
import { table } from '../output/output.ts'
import { parseCount } from '../output/parse-duration.ts'

type Activity = {
  id: string
  type: string
  user: { id: string }
  date: string
  isGenuine: boolean
  outcome: string
  errorCode: string | null
  address: string
  comment: string
  vars: { key: string; value: string }[]
}
type Head = { seq: number; hash: string }
type Integrity = {
  ok: boolean
  links: number
  openIntents: number
  head: Head | null
  /** The last link that was removed because of its age. */
  removedThrough: Head | null
  firstBadSeq: number | null
  problems: { seq: number; message: string }[]
}
type ListOptions = {
  user?: string
  type?: string[]
  runtime?: string[]
  version?: string
  from?: string
  to?: string
  limit: string
  all?: boolean
  after?: string
}

const FIELDS =
  'id type user { id } date isGenuine outcome errorCode operation principal address userAgent requestId comment args before after vars { key value }'
/** More than the last line of an export takes. */
const TAIL_BYTES = 4 * KiB

export function auditCommands(program: Command, context: Context): void {
  const audit = program
    .command('audit')
    .description('who did what, or tried to; kept so that changing it shows')
  listCommand(audit, context)
  exportCommand(audit, context)
  verifyCommand(audit, context)
}

function listCommand(audit: Command, context: Context): void {
  audit
    .command('list')
    .description('what people did and tried to do, newest first')
    .option('--user <email>', 'by this user; "anonymous" for sign-ins that failed')
    .option('--type <type>', 'of this type, as PUBLISH_VERSION; may be given again', collect)
    .option('-r, --runtime <id>', 'on this runtime; may be given again', collect)
    .option(
      '--version <name>',
      'on this version of the runtime; or its id, also of one that is gone',
    )
    .option('--from <date>', 'from then on: 2026-01-31 or 2026-01-31T12:00:00Z')
    .option('--to <date>', 'up to the end of that day')
    .option('--limit <rows>', 'at most so many', '30')
    .option('--after <id>', 'go on behind the activity of this id')
    .option('--all', 'all that there are')
    .action(async (options: ListOptions) => {
      const limit = options.all === true ? Infinity : parseCount('--limit', options.limit)
      const client = await connectEngine(context)
      const versionIds = await versionIdsOf(client, options)
      const rows = await readRows(client, { ...options, versionIds }, limit)
      context.output.result(rows, describe(rows))
    })
}

/** `Version.id` of those that were made by the engine. */
const VERSION_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Versions are told apart by their ids, as a name can be used again. A version that is gone has no name any more.
 *
 * @returns null = of any version.
 * @throws UsageError for a name without a runtime, KreError `not-found` for one that its runtime does not know.
 */
async function versionIdsOf(
  client: AdminClient,
  { version, runtime = [] }: ListOptions,
): Promise<string[] | null> {
  if (version === undefined) return null
  const found: string[] = []
  for (const runtimeId of runtime) {
    const { versions } = await client.graphql<{ versions: { id: string; name: string }[] }>(
      'query ($runtimeId: ID!) { versions(runtimeId: $runtimeId) { id name } }',
      { runtimeId },
    )
    found.push(...versions.filter(({ name }) => name === version).map(({ id }) => id))
  }
  if (found.length > 0) return found
  if (VERSION_ID.test(version)) return [version]
  const gone = 'one that was deleted has its VERSION_ID in the list of its runtime'
  if (runtime.length === 0)
    throw new UsageError(
      `--version "${version}": say of which runtime by -r, or give its id; ${gone}`,
    )
  throw new KreError(
    'not-found',
    `runtime ${runtime.join(', ')} has no version "${version}"; ${gone}: krectl audit list -r ${runtime[0]}`,
    { version },
  )
}

async function readRows(
  client: AdminClient,
  options: ListOptions & { versionIds: string[] | null },
  limit: number,
): Promise<Activity[]> {
  const rows: Activity[] = []
  while (rows.length < limit) {
    const { userActivityList: page } = await client.graphql<{ userActivityList: Activity[] }>(
      `query ($userEmail: String, $types: [UserActivityType!], $runtimeIds: [ID!], $versionIds: [String!], $fromDate: String, $toDate: String, $lastId: String) {
        userActivityList(userEmail: $userEmail, types: $types, runtimeIds: $runtimeIds, versionIds: $versionIds, fromDate: $fromDate, toDate: $toDate, lastId: $lastId) { ${FIELDS} }
      }`,
      {
        userEmail: options.user ?? null,
        types: options.type ?? null,
        runtimeIds: options.runtime ?? null,
        versionIds: options.versionIds,
        fromDate: options.from ?? null,
        toDate: options.to ?? null,
        lastId: rows.at(-1)?.id ?? options.after ?? null,
      },
    )
    if (page.length === 0) break
    rows.push(...page)
  }
  return rows.slice(0, limit)
}

/** What stands in columns of its own. */
const SHOWN: ReadonlySet<string> = new Set(['COMMENT', 'OUTCOME', 'ERROR_CODE'])

function describe(rows: readonly Activity[]): string {
  return table(
    ['ID', 'DATE', 'USER', 'WHAT', 'OUTCOME', 'FROM', 'ABOUT', 'COMMENT'],
    rows.map(({ id, date, user, type, isGenuine, outcome, errorCode, address, vars, comment }) => [
      id,
      date,
      user.id,
      type,
      [isGenuine ? '' : 'FORGED', outcome, errorCode].filter((part) => part).join(' '),
      address,
      vars
        .filter(({ key }) => !SHOWN.has(key))
        .map(({ key, value }) => `${key}=${value}`)
        .join(' '),
      comment,
    ]),
    'Nothing was done that fits.',
  )
}

function exportCommand(audit: Command, context: Context): void {
  audit
    .command('export')
    .description('the log as JSON lines, oldest first; the last line is its head, for verify')
    .option('-o, --output <file>', 'a new file, readable by you alone (default: standard output)')
    .option('--from <date>', 'from then on')
    .option('--to <date>', 'up to the end of that day')
    .action(async (options: { output?: string; from?: string; to?: string }) => {
      const client = await connectEngine(context)
      const query = new URLSearchParams()
      if (options.from !== undefined) query.set('fromDate', options.from)
      if (options.to !== undefined) query.set('toDate', options.to)
      const body = await client.stream(`/api/v1/audit/export?${query.toString()}`, context.signal)
      if (options.output === undefined) {
        await pipeline(Readable.from(body), context.stdout, { end: false })
        return
      }
      const path = resolve(context.cwd, options.output)
      await writeNew(path, Readable.from(body))
      context.output.result({ file: path }, `Exported to ${path}.`)
    })
}

/** @throws UsageError when there is a file: an export is evidence, so none is replaced. */
async function writeNew(path: string, body: Readable): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw new UsageError(
      `${path} can't be made: ${error instanceof Error ? error.message : String(error)}`,
    )
  })
  await pipeline(body, file.createWriteStream())
}

function verifyCommand(audit: Command, context: Context): void {
  audit
    .command('verify')
    .description(
      'computes the log anew; says which link is the first that the engine did not write so',
    )
    .option('--head <seq:hash>', 'a link that must be part of it: the head of an earlier verify')
    .option('--export <file>', 'an earlier export whose head must be part of it')
    .action(async (options: { head?: string; export?: string }) => {
      const head = await knownHead(context, options)
      const client = await connectEngine(context)
      const { auditIntegrity: integrity } = await client.graphql<{ auditIntegrity: Integrity }>(
        `query ($head: AuditHeadInput) {
          auditIntegrity(head: $head) { ok links openIntents head { seq hash } removedThrough { seq hash } firstBadSeq problems { seq message } }
        }`,
        { head },
      )
      context.output.result(integrity, describeIntegrity(integrity))
      if (!integrity.ok)
        throw new KreError(
          'failed-precondition',
          `the audit log is not as the engine wrote it, from link ${integrity.firstBadSeq} on: keep a copy of the data folder, and compare it with your exports`,
          { firstBadSeq: integrity.firstBadSeq ?? 0 },
        )
    })
}

function describeIntegrity(integrity: Integrity): string {
  const { ok, links, openIntents, head, removedThrough, problems } = integrity
  const before =
    removedThrough === null ? '' : `; those up to ${removedThrough.seq} were removed by their age`
  const size = `${links} links, ${openIntents} operations under way${before}`
  const kept = head === null ? '' : `\nHead, for --head: ${head.seq}:${head.hash}`
  if (ok) return `Genuine and complete: ${size}.${kept}`
  return `Not genuine: ${size}.\n${problems.map(({ message }) => `  ${message}`).join('\n')}`
}

async function knownHead(
  context: Context,
  options: { head?: string; export?: string },
): Promise<Head | null> {
  if (options.head !== undefined && options.export !== undefined)
    throw new UsageError('give --head or --export, not both')
  if (options.export !== undefined) return readHead(resolve(context.cwd, options.export))
  if (options.head === undefined) return null
  const [, seq, hash] = /^(\d{1,9}):([0-9a-f]{64})$/.exec(options.head) ?? []
  if (seq === undefined || hash === undefined)
    throw new UsageError(
      `--head: "${options.head}" is not what "krectl audit verify" shows as head`,
    )
  return { seq: Number(seq), hash }
}

/** The head in the last line of an export, however long that is. */
async function readHead(path: string): Promise<Head> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const start = Math.max(0, size - TAIL_BYTES)
    const tail = Buffer.alloc(size - start)
    await file.read(tail, 0, tail.length, start)
    const line = tail.toString().trimEnd().split('\n').at(-1) ?? ''
    const { head } = JSON.parse(line) as { head?: Partial<Head> }
    if (typeof head?.seq === 'number' && typeof head.hash === 'string')
      return { seq: head.seq, hash: head.hash }
    throw new Error('its last line has no head: only exports by administrators have one')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${path} is no export of the audit log: ${why}`)
  }
}
