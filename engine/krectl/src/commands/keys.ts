import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import { connectEngine, requireLocal } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { EXIT_BUSY, spawnEngine } from '../engine/engine-child.ts'
import { UsageError } from '../output/exit-code.ts'

type KeysReset = { unset: string[]; pepper: 'kept' | 'made' | 'taken' }
type KeyStatus = { current: string; older: string[]; source: string }

export function keyCommands(program: Command, context: Context): void {
  const keys = program
    .command('keys')
    .description('the master key that encrypts configuration values: keep a copy of it elsewhere')

  keys
    .command('show')
    .description('which master keys the engine has, by id, and where they come from')
    .action(async () => {
      const client = await connectEngine(context)
      const status = await client.rest<KeyStatus>('GET', '/api/v1/keys')
      context.output.result(status, describe(status))
    })

  keys
    .command('rotate')
    .description('makes a new master key and wraps every value with it; nothing is restarted')
    .action(async () => {
      const client = await connectEngine(context)
      const rotated = await client.rest<KeyStatus & { rewrapped: number }>(
        'POST',
        '/api/v1/keys/rotate',
      )
      const values = `${rotated.rewrapped} value${rotated.rewrapped === 1 ? '' : 's'}`
      context.output.result(rotated, `Wrapped ${values} anew.\n${describe(rotated)}`)
    })

  keys
    .command('reset')
    .description(
      'when the master key or the pepper is lost and the engine refuses to start: gives up what needed it',
    )
    .option('--yes', 'what is given up is gone for good')
    .action(async (options: { yes?: boolean }) => {
      requireLocal(context, 'keys reset')
      if (options.yes !== true)
        throw new UsageError(
          'what no key here opens will be given up for good: configuration values, and with another pepper all logins and API tokens: add --yes to do that',
        )
      const reset = await resetKeys(context)
      context.output.result(reset, describeReset(reset))
    })
}

function describe({ current, older, source }: KeyStatus): string {
  const kept = older.length === 0 ? '' : `\nKept for values that need them: ${older.join(', ')}`
  return `Master key ${current}, in ${source}${kept}`
}

function describeReset({ unset, pepper }: KeysReset): string {
  const values =
    unset.length === 0
      ? 'No value was lost.'
      : `Unset, because no key opens them; set them again with "krectl config set":\n  ${unset.join('\n  ')}`
  return pepper === 'kept'
    ? values
    : `${values}\nThe pepper is another one: logins and API tokens are over, and the audit log can be checked from here on alone.`
}

/** Done by the engine's program, because the engine itself does not start without its keys. */
async function resetKeys(context: Context): Promise<KeysReset> {
  const child = spawnEngine(context, 'reset-keys', {
    stdio: ['ignore', 'pipe', 'pipe'],
    environment: { KRE_LOG_LEVEL: 'silent' },
  })
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk: Buffer) => (written[name] += chunk.toString()))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit) => resolve(exit ?? 1))
  })
  if (code === 0) return JSON.parse(written.stdout) as KeysReset
  throw new KreError(
    'failed-precondition',
    code === EXIT_BUSY
      ? 'an engine runs on this data folder, so its key is not lost: "krectl keys rotate" makes a new one'
      : `the keys could not be reset: ${written.stderr.trim() || `exit code ${code}`}`,
  )
}
