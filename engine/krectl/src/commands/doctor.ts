import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { GiB, KreError, SECOND_MS } from '@kre/contracts'
import { cacheDir, type Context } from '../context.ts'
import { table } from '../output/output.ts'
import { checkExternalNats } from './check-external-nats.ts'

const run = promisify(execFile)

type Check = {
  name: string
  ok: boolean
  required: boolean
  /** `not found` where it is not there. */
  found: string
  why: string
  /** What to say about a failure, where `found` is not enough. */
  problem?: string
}

/** Gates of tools that only some commands need: how to ask for the version, and the least that works. */
const OPTIONAL_TOOLS = [
  { name: 'python3', args: ['--version'], minimum: '3.9', why: 'Python nodes' },
  {
    name: 'go',
    args: ['version'],
    minimum: '1.22',
    why: 'building nats-server where no package of it fits',
  },
  {
    name: 'minikube',
    args: ['version', '--short'],
    minimum: '1.26',
    why: 'a cluster on this computer',
  },
  {
    name: 'docker',
    args: ['--version'],
    minimum: '18.9',
    why: 'a driver of minikube, and building images',
  },
  {
    name: 'kubectl',
    args: ['version', '--client'],
    minimum: '1.28',
    why: 'deploying to a cluster',
  },
  { name: 'podman', args: ['--version'], minimum: '4.0', why: 'building images' },
  { name: 'buildah', args: ['--version'], minimum: '1.24', why: 'building images' },
  { name: 'helm', args: ['version', '--short'], minimum: '3.0', why: 'deploying to a cluster' },
  { name: 'h2load', args: ['--version'], minimum: '1.40', why: 'npm run bench' },
] as const

const NOT_FOUND = 'not found'
/** A tool that needs longer to say its version counts as not found. */
const TOOL_TIMEOUT_MS = 10 * SECOND_MS

export function doctorCommand(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('what this computer has and lacks; exit code 1 when something needed is missing')
    .action(async () => {
      const checks = [
        check('node', process.versions.node, '24', true, 'everything'),
        await checkNats(context),
        ...(await checkNatsOfOthers(context)),
        await checkDisk(context),
        await checkIsolation(context),
        ...(await Promise.all(OPTIONAL_TOOLS.map((tool) => checkTool(tool, context)))),
      ]
      const rows = checks.map((entry) => [
        entry.ok ? 'ok' : hasFailed(entry) ? 'FAILED' : 'missing',
        entry.name,
        entry.found,
        entry.why,
      ])
      context.output.result(checks, table(['', 'WHAT', 'FOUND', 'FOR'], rows, ''))
      const failed = checks.filter(hasFailed)
      if (failed.length > 0)
        throw new KreError(
          'failed-precondition',
          failed.map(({ name, found, problem }) => problem ?? `${name} ${found}`).join('; '),
        )
    })
}

/** A tool that is not there is not used; one that is too old would be, and fail. */
function hasFailed({ ok, required, found }: Check): boolean {
  return !ok && (required || !found.startsWith(NOT_FOUND))
}

async function checkTool(
  tool: (typeof OPTIONAL_TOOLS)[number],
  { environment }: Context,
): Promise<Check> {
  try {
    const { stdout, stderr } = await run(tool.name, [...tool.args], {
      timeout: TOOL_TIMEOUT_MS,
      env: { ...environment },
    })
    return check(
      tool.name,
      /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? 'of unknown version',
      tool.minimum,
      false,
      tool.why,
    )
  } catch {
    return { name: tool.name, ok: false, required: false, found: NOT_FOUND, why: tool.why }
  }
}

function check(
  name: string,
  version: string,
  minimum: string,
  required: boolean,
  why: string,
): Check {
  const ok = compareVersions(version, minimum) >= 0
  return { name, ok, required, found: ok ? version : `${version}: needs >= ${minimum}`, why }
}

/** Negative, zero or positive, by the numbers between the dots; what is missing counts as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) =>
    version.split('.').map((part) => Number.parseInt(part, 10) || 0),
  )
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

async function checkNats(context: Context): Promise<Check> {
  const path = context.environment['PATH'] ?? ''
  try {
    const { findNatsServer } = await import('@kre/service-kit')
    const found = await findNatsServer({
      cacheDir: cacheDir(context),
      path,
      onProgress: (message) => context.output.step(message),
    })
    return { name: 'nats-server', ok: true, required: true, found, why: 'everything' }
  } catch (error) {
    return {
      name: 'nats-server',
      ok: false,
      required: true,
      found: NOT_FOUND,
      why: 'everything',
      problem: error instanceof Error ? error.message : String(error),
    }
  }
}

/** Where `KRE_NATS_URL` names one. */
async function checkNatsOfOthers({ environment }: Context): Promise<Check[]> {
  const verdict = await checkExternalNats(environment)
  if (verdict === null) return []
  const { ok, found } = verdict
  return [{ name: 'NATS', ok, required: true, found, why: 'everything', problem: found }]
}

/** Not required: without it, only bundles that one trusts should run. */
async function checkIsolation({ environment }: Context): Promise<Check> {
  const check = { name: 'isolation', required: false, why: 'nodes of bundles that are not trusted' }
  if (environment['KRE_ISOLATION'] === 'off')
    return { ...check, ok: false, found: `${NOT_FOUND}: KRE_ISOLATION is off` }
  const { probeIsolation } = await import('@kre/service-kit/isolation')
  const verdict = await probeIsolation(environment)
  if (verdict.kind === 'none') return { ...check, ok: false, found: `${NOT_FOUND}: ${verdict.why}` }
  return {
    ...check,
    ok: true,
    found: `${verdict.kind}; not enforced: ${verdict.notEnforced.join(', ')}`,
  }
}

async function checkDisk(context: Context): Promise<Check> {
  const { bavail, bsize } = await statfs(context.root)
  const free = bavail * bsize
  return {
    name: 'disk',
    ok: free > 1 * GiB,
    required: true,
    found: `${(free / GiB).toFixed(1)} GiB free`,
    why: 'bundles and streams: at least 1 GiB',
  }
}
