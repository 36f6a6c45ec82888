import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SECOND_MS } from '@kre/contracts'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { chooseDataDir, type EngineOptions } from '../profiles/choose-engine.ts'
import { openProfiles } from '../profiles/profile-store.ts'

/** Whoever presses TAB waits no longer. */
const PATIENCE_MS = 2 * SECOND_MS
/** More are no help in a menu. */
const NAMES_MAX = 500
/** What is typed into a shell; anything else an engine may say is left out. */
const NAME = /^[A-Za-z0-9][\w.-]*$/

/**
 * Prints names for completion, one a line: `runtime`, `version --runtime ID` or `profile`, with the options that say
 * which engine. Nothing where they can't be had, because nobody wants errors in the middle of a line.
 */
export async function printNames(words: readonly string[], context: Context): Promise<void> {
  const names = await Promise.race([
    liveNames(words, context).catch(() => []),
    sleep(PATIENCE_MS, [], { ref: false }),
  ])
  const shown = names.filter((name) => NAME.test(name)).slice(0, NAMES_MAX)
  if (shown.length > 0) context.stdout.write(`${shown.join('\n')}\n`)
}

async function liveNames(words: readonly string[], context: Context): Promise<string[]> {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      runtime: { type: 'string' },
      data: { type: 'string' },
      profile: { type: 'string' },
      url: { type: 'string' },
      'token-file': { type: 'string' },
      ca: { type: 'string' },
      'insecure-http': { type: 'boolean' },
    },
  })
  const { environment } = context
  if (positionals[0] === 'profile')
    return (await openProfiles(environment).list()).map(({ name }) => name)
  const { runtime, data, profile, url, ca } = values
  const tokenFile = values['token-file']
  const engineOptions: EngineOptions = {
    ...(data === undefined ? {} : { data }),
    ...(profile === undefined ? {} : { profile }),
    ...(url === undefined ? {} : { url }),
    ...(ca === undefined ? {} : { ca }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(values['insecure-http'] === true ? { insecureHttp: true } : {}),
  }
  const dataDir = chooseDataDir(engineOptions, context)
  const client = await connectEngine({ ...context, engineOptions, dataDir })
  if (positionals[0] === 'runtime') {
    const { runtimes } = await client.graphql<{ runtimes: { id: string }[] }>(
      'query ($limit: Int) { runtimes(limit: $limit) { id } }',
      { limit: NAMES_MAX },
    )
    return runtimes.map(({ id }) => id)
  }
  if (runtime === undefined) return []
  const { versions } = await client.graphql<{ versions: { name: string }[] }>(
    'query ($runtimeId: ID!, $limit: Int) { versions(runtimeId: $runtimeId, limit: $limit) { name } }',
    { runtimeId: runtime, limit: NAMES_MAX },
  )
  return versions.map(({ name }) => name)
}
