/** krectl has a verb for every operation of the admin API, and each document that it sends is legal. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MiB } from '@kre/contracts'
import { OPERATIONS } from '../engine/admin-api/src/access/operations.ts'
import { sampleAnswer } from '../engine/admin-api/src/testing/sample-answers.ts'
import { krectl } from '../engine/krectl/src/testing/krectl.ts'
import { root } from './support/kre.ts'

/** Verbs, one line each, that together use everything. */
const LINES = [
  'whoami',
  'status',
  'login',
  'metrics',
  'runtime create lab',
  'runtime list --after zoo',
  'runtime show lab',
  'runtime update lab --name Lab',
  'runtime log-limits lab --days 7',
  'runtime delete lab --comment why-runtime --yes',
  'version create -r lab BUNDLE --comment why-create',
  'version create -r lab LARGE',
  'version create -r lab BEGUN',
  'version list -r lab --after v0',
  'version list -r lab --watch',
  'version show -r lab v1',
  'version show -r lab v1 --watch',
  'version start -r lab v1 --no-wait --timeout 5s',
  'version restart -r lab v1 --no-wait --comment why-restart --timeout 5s',
  'version publish -r lab v1 --no-wait --timeout 5s',
  'version unpublish -r lab v1 --no-wait --comment why-unpublish --timeout 5s',
  'version rollback -r lab --no-wait --comment why-rollback --timeout 5s',
  'version diff -r lab v1 v2',
  'version stop -r lab v1 --no-wait --comment why-stop --timeout 5s',
  'version delete -r lab v1 --comment why-delete --yes',
  'delete version kre lab v1 --comment why-delete --yes',
  'delete runtime lab --comment why-runtime --yes',
  'version download -r lab v1 -o OUT1',
  'version download -r lab v1 --descriptors -o OUT2',
  'version documents -r lab v1',
  'version documents -r lab v1 text -o OUT3',
  'version logs -r lab v1 --follow --search sent-text',
  'version logs -r lab v1 --out OUT4',
  'version metrics -r lab v1 --since 2h',
  'version measurements -r lab v1',
  'version measurements -r lab v1 node_elapsed_time --since 2h --until 1m',
  'version traffic -r lab v1 --points --since 2h --until 1m',
  'version requests -r lab v1 --status INTERNAL --slower-than 17ms --limit 3',
  'version requests -r lab v1 some-request',
  'version sample -r lab v1 --minutes 5',
  'version sample -r lab v1 entrypoint wf.a',
  'version top -r lab v1 --once',
  'upload list -r lab',
  'upload delete -r lab u1',
  'config get -r lab v1',
  'config set -r lab v1 KEY=value',
  'config unset -r lab v1 KEY --if-generation 3',
  'apply -f DOCUMENTS --dry-run --yes --comment why-apply --timeout 5s',
  'keys show',
  'keys rotate',
  'user list --limit 3 --after a@kre.io',
  'user create eve@kre.io --level viewer',
  'user remove eve@kre.io --comment why-remove --yes',
  'user level manager eve@kre.io --comment why-level',
  'user grant eve@kre.io lab=viewer --comment why-grant',
  'user revoke eve@kre.io --comment why-revoke',
  'user logins id',
  'user tokens id',
  'user end-login l1',
  'token create ci -o OUT6',
  'token list',
  'token delete t1 --yes',
  'settings get',
  'settings set --session-days 9',
  'audit list --from 2026-01-01 --to 2026-02-01 --after r1',
  'audit export -o OUT5 --from 2026-01-01 --to 2026-02-01',
  'audit verify',
]

const BROWSERS = 'a page of a browser signs in with it; krectl has tokens'
/** What no verb uses, and why. */
const UNUSED: Readonly<Record<string, string>> = {
  'Mutation.createVersion':
    'a multipart request for clients of KRE; krectl streams the file (PUT …/versions)',
  'GET /healthz': 'for load balancers; "krectl status" says more',
  'GET /': 'a page for people',
  'GET /ui': 'the admin page',
  'GET /ui/*': 'the admin page',
  'GET /graphql': 'krectl asks by POST, where addresses hold nothing that was asked',
  'GET /signin/:token': BROWSERS,
  'POST /signin/:token': BROWSERS,
  'POST /api/v1/auth/signin': BROWSERS,
  'POST /api/v1/auth/signin/verify': BROWSERS,
  'GET /api/v1/auth/oidc': BROWSERS,
  'GET /api/v1/auth/oidc/callback': BROWSERS,
  'POST /api/v1/auth/logout': 'krectl has no login that could end',
  'POST /api/v1/auth/token/signin': 'API tokens are sent as they are; this is for clients of KRE',
  'POST /api/v1/runtimes/:id/versions/:name/call/:rpc':
    'for the admin UI, which reaches the API alone; "krectl call" calls the entrypoint itself',
  'OPTIONS /api/v1/runtimes/:id/uploads': 'tells clients of tus what krectl knows',
}

/** Verbs by operation. */
const used = new Map<string, Set<string>>()
let verb = ''
const use = (operation: string) => {
  const verbs = used.get(operation) ?? new Set()
  used.set(operation, verbs.add(verb))
}
const faults: string[] = []
/** Addresses and documents of the verb that runs. */
const sent: string[] = []
let folder = ''
/** A bundle of which the engine has a part. */
const BEGUN = Buffer.alloc(5 * MiB, 1)
let url = ''
const server = createServer((req, res) => {
  answer(req, res).catch((error: unknown) => {
    faults.push(String(error))
    res.destroy()
  })
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'krectl-operations-'))
  await writeFile(join(folder, 'token'), 'a-token-for-tests')
  await writeFile(join(folder, 'BUNDLE'), 'small')
  await writeFile(join(folder, 'LARGE'), Buffer.alloc(5 * MiB))
  await writeFile(join(folder, 'BEGUN'), BEGUN)
  await writeFile(
    join(folder, 'DOCUMENTS'),
    'kind: Settings\nsessionLifetimeInDays: 9\n---\nkind: Runtime\nid: id\nversions: [{ name: text, config: { K: { value: v } } }]\n---\nkind: User\nemail: a@b.c\nlevel: VIEWER\n',
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

describe('krectl', () => {
  test.each(LINES)('%s', async (line) => {
    faults.length = 0
    sent.length = 0
    verb = verbOf(line)
    const files = /\b(?:BUNDLE|LARGE|BEGUN|DOCUMENTS|OUT\d)\b/g
    const words = line.replace(files, (name) => join(folder, name)).split(' ')
    const engine = ['--url', url, '--token-file', join(folder, 'token'), '--json']
    const { code, stdout, stderr } = await krectl([...words, ...engine])
    // What follows goes on until somebody ends it; here the engine does.
    const isFollowing = words.includes('--watch') || words.includes('--follow')
    expect({ code, stderr, faults }).toEqual({
      code: isFollowing ? 1 : 0,
      stderr: isFollowing ? expect.stringContaining('ended') : expect.anything(),
      faults: [],
    })
    expect(isJson(stdout) || stdout.trim().split('\n').every(isJson)).toBe(true)
    // Nothing is asked of a plan that is only shown.
    const told = words.filter((word) => /^(?:why|sent)-/.test(word) && !words.includes('--dry-run'))
    for (const word of told) expect(sent.join('\n')).toContain(word)
  })

  test('is told with its operations in docs/verbs.md as it is: npm run docs:verbs', async () => {
    const page = writeVerbs()
    const file = join(root, 'docs/verbs.md')
    if (process.env['KRE_WRITE_DOCS'] === 'true') await writeFile(file, page)
    expect(await readFile(file, 'utf8')).toBe(page)
  })

  test('uses every operation but those that have a reason', () => {
    const unused = Object.keys(OPERATIONS).filter((operation) => !used.has(operation))
    expect(unused.toSorted()).toEqual(Object.keys(UNUSED).toSorted())
  })
})

/** `version start` of `version start -r lab v1`, with the option that makes the difference. */
function verbOf(line: string): string {
  const words = line.split(' ')
  const single = new Set(['whoami', 'status', 'login', 'metrics', 'apply'])
  const [first = ''] = words
  const name = single.has(first) ? first : words.slice(0, 2).join(' ')
  const option = words.find((word) =>
    ['--watch', '--follow', '--descriptors', '--out'].includes(word),
  )
  return option === undefined ? name : `${name} ${option}`
}

function writeVerbs(): string {
  const rows = Object.keys(OPERATIONS).map((operation) => {
    if (operation === 'POST /graphql')
      return `| \`${operation}\` | all that ask one of the fields below |`
    const verbs = [...(used.get(operation) ?? [])].map((name) => `\`${name}\``).join(', ')
    return `| \`${operation}\` | ${verbs || `none: ${UNUSED[operation] ?? ''}`} |`
  })
  return [
    '# Operations and verbs',
    '',
    'Which verb of `krectl` uses which operation of the admin API. A test runs every verb against an engine that writes down what it is asked (`npm run docs:verbs`), and checks each document against the schema.',
    '',
    '| operation | verbs |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text === '' ? 'null' : text)
    return true
  } catch {
    return false // for example several documents, one a line
  }
}

/** Answers as the admin API would: values of the right types, and nothing behind them. */
async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname } = new URL(req.url ?? '/', url)
  sent.push(req.url ?? '')
  const operation = Object.keys(OPERATIONS).find((name) => {
    const [method, path = ''] = name.split(' ')
    const pattern = new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`)
    return path !== '' && method === req.method && pattern.test(pathname)
  })
  if (operation === undefined) throw new Error(`no route for ${req.method} ${pathname}`)
  use(operation)
  if (pathname === '/graphql') return answerGraphql(req, res)
  if (req.method === 'PATCH' || req.method === 'PUT') await text(req)
  const headers = { 'upload-offset': '0', location: '/api/v1/runtimes/lab/uploads/u1' }
  const isEmpty = req.method === 'HEAD' || req.method === 'DELETE' || req.method === 'PATCH'
  res.writeHead(isEmpty ? 204 : req.method === 'POST' ? 201 : 200, {
    ...headers,
    'content-type': 'application/json',
  })
  res.end(isEmpty ? '' : JSON.stringify(REST))
}

const REST = {
  uploads: [
    {
      id: 'u1',
      bytes: BEGUN.length,
      received: 0,
      sha256: createHash('sha256').update(BEGUN).digest('hex'),
      expiresAt: 'later',
    },
  ],
  version: { name: 'v1' },
  issues: [],
  url: 'http://localhost/signin/x',
  current: 'k1',
  older: [],
  source: 'a file',
  rewrapped: 1,
  engine: { version: '0', dataDir: '/x' },
  processes: [],
  addresses: [],
}

async function answerGraphql(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await text(req)
  sent.push(body)
  const { query, variables } = JSON.parse(body) as {
    query: string
    variables: Record<string, unknown>
  }
  const { operations, result } = await sampleAnswer(query, variables)
  for (const operation of operations) use(operation)
  const isStream = req.headers.accept === 'text/event-stream'
  res.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
  res.end(isStream ? `data: ${JSON.stringify(result)}\n\n` : JSON.stringify(result))
}
