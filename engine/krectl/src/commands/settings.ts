import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { listOrNone } from '../output/list-or-none.ts'
import { parseCount } from '../output/parse-duration.ts'

type Settings = { authAllowedDomains: string[]; sessionLifetimeInDays: number }
type SetOptions = {
  sessionDays?: string
  allowDomains?: string[]
  allowNobody?: true
  ifSessionDays?: string
  ifDomains?: string
}
const FIELDS = 'authAllowedDomains sessionLifetimeInDays'

export function settingsCommands(program: Command, context: Context): void {
  const settings = program.command('settings').description('settings of the engine')

  settings
    .command('get')
    .description('all settings')
    .action(async () => {
      const client = await connectEngine(context)
      const { settings: found } = await client.graphql<{ settings: Settings }>(
        `{ settings { ${FIELDS} } }`,
      )
      context.output.result(found, describe(found))
    })

  settings
    .command('set')
    .description('change settings; what is not named stays')
    .option('--session-days <number>', 'absolute end of logins that begin from now on')
    .option('--allow-domains <names...>', 'whose addresses may sign in without being invited')
    .option('--allow-nobody', 'only who was invited may sign in')
    .option('--if-session-days <number>', 'refuse when they are others by now')
    .option(
      '--if-domains <names>',
      'refuse when others are allowed by now than these, with commas between, or none',
    )
    .action(async (options: SetOptions) => {
      if (Object.keys(options).every((name) => !OPTIONS.includes(name)))
        throw new UsageError('name a setting: see krectl settings set --help')
      const input = {
        ...(options.sessionDays === undefined
          ? {}
          : { sessionLifetimeInDays: parseCount('--session-days', options.sessionDays) }),
        ...(options.allowDomains === undefined ? {} : { authAllowedDomains: options.allowDomains }),
        ...(options.allowNobody === true ? { authAllowedDomains: [] } : {}),
        ...(options.ifSessionDays === undefined
          ? {}
          : { ifSessionLifetimeInDays: parseCount('--if-session-days', options.ifSessionDays) }),
        ...(options.ifDomains === undefined
          ? {}
          : { ifAuthAllowedDomains: listOrNone(options.ifDomains) }),
      }
      const client = await connectEngine(context)
      const { updateSettings } = await client.graphql<{ updateSettings: Settings }>(
        `mutation ($input: SettingsInput!) { updateSettings(input: $input) { ${FIELDS} } }`,
        { input },
      )
      context.output.result(updateSettings, describe(updateSettings))
    })
}

const OPTIONS = ['sessionDays', 'allowDomains', 'allowNobody']

function describe({ authAllowedDomains, sessionLifetimeInDays }: Settings): string {
  return [
    `allowed domains   ${authAllowedDomains.join(' ') || 'none: only who was invited'}`,
    `logins end after  ${sessionLifetimeInDays} days`,
  ].join('\n')
}
