import { resolve } from 'node:path'
import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import { checkToken, connectTo, readTokenFile } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { table } from '../output/output.ts'
import { readSecret } from '../output/read-secret.ts'
import { checkEngineUrl } from '../profiles/check-engine-url.ts'
import {
  checkProfileName,
  LOCAL_PROFILE,
  openProfiles,
  type Profile,
} from '../profiles/profile-store.ts'

type AddOptions = {
  tokenFile?: string
  ca?: string
  insecureHttp?: boolean
  replace?: boolean
  use?: boolean
  check: boolean
}
/** What may be shown of a profile. */
type Shown = {
  name: string
  url: string
  current: boolean
  tokenId: string
  ca: string | null
  insecureHttp: boolean
}

export function profileCommands(program: Command, context: Context): void {
  const profile = program
    .command('profile')
    .description('engines elsewhere: their addresses and API tokens, kept for you alone')
  addCommand(profile, context)
  listCommand(profile, context)
  showCommand(profile, context)
  useCommand(profile, context)
  removeCommand(profile, context)
}

function addCommand(profile: Command, context: Context): void {
  profile
    .command('add <name> <url>')
    .description('remember an engine; its API token comes from a file or from standard input')
    .option('--token-file <file>', 'file with the API token (default: standard input)')
    .option('--ca <file>', "the only authorities that may have signed the engine's certificate")
    .option('--insecure-http', 'send the token unencrypted to another computer')
    .option('--replace', 'also when there is a profile of this name')
    .option('--use', 'make it the current one')
    .option('--no-check', 'without asking the engine whether the token is good')
    .action(async (name: string, address: string, options: AddOptions) => {
      const { insecureHttp = false } = options
      const url = checkEngineUrl(address, { insecureHttp })
      checkProfileName(name)
      const token = await readToken(context, options)
      const ca = options.ca === undefined ? null : resolve(context.cwd, options.ca)
      const added: Profile = { name, url, token, ca, insecureHttp }
      const owner = options.check ? await ownerOf(added) : null
      const profiles = openProfiles(context.environment)
      await profiles.save(added, { replace: options.replace === true })
      if (options.use === true) await profiles.use(name)
      const shown = { ...toShown(added, options.use === true ? name : null), user: owner }
      const who = owner === null ? '' : `, where you are ${owner}`
      const how = options.use === true ? '' : `. Use it with --profile ${name}`
      context.output.result(shown, `Profile "${name}" leads to ${url}${who}${how}.`)
    })
}

async function readToken(context: Context, { tokenFile }: AddOptions): Promise<string> {
  if (tokenFile !== undefined && tokenFile !== '-')
    return readTokenFile(resolve(context.cwd, tokenFile))
  return checkToken(await readSecret(context, 'API token: '), 'standard input')
}

async function ownerOf(profile: Profile): Promise<string> {
  const client = await connectTo(profile)
  const { me } = await client.graphql<{ me: { id: string } | null }>('{ me { id } }')
  return me?.id ?? 'nobody'
}

function listCommand(profile: Command, context: Context): void {
  profile
    .command('list')
    .description('all profiles, without their tokens')
    .action(async () => {
      const profiles = openProfiles(context.environment)
      const current = await profiles.current()
      const shown = (await profiles.list()).map((found) => toShown(found, current))
      const rows = shown.map((one) => [
        one.current ? '*' : '',
        one.name,
        one.url,
        one.tokenId,
        one.ca ?? '',
      ])
      const local = [current === null ? '*' : '', LOCAL_PROFILE, 'this computer', '', '']
      const head = ['', 'NAME', 'ENGINE', 'TOKEN', 'AUTHORITIES']
      context.output.result(shown, table(head, [local, ...rows], ''))
    })
}

function showCommand(profile: Command, context: Context): void {
  profile
    .command('show [name]')
    .description('one profile, by default the current one; without its token')
    .action(async (name: string | undefined) => {
      const profiles = openProfiles(context.environment)
      const current = await profiles.current()
      const wanted = name ?? current
      if (wanted === null || wanted === LOCAL_PROFILE) {
        const local = { name: LOCAL_PROFILE, current: current === null, dataDir: context.dataDir }
        return context.output.result(
          local,
          `${LOCAL_PROFILE}: the engine of this computer, on ${context.dataDir}`,
        )
      }
      const shown = toShown((await profiles.find(wanted)) ?? missing(wanted), current)
      const rows = Object.entries(shown).map(([key, value]) => [key, String(value ?? 'none')])
      context.output.result(shown, table(['FIELD', 'VALUE'], rows, ''))
    })
}

function useCommand(profile: Command, context: Context): void {
  profile
    .command('use <name>')
    .description(`the engine of all commands that name none; "${LOCAL_PROFILE}" is this computer's`)
    .action(async (name: string) => {
      const profiles = openProfiles(context.environment)
      if (name !== LOCAL_PROFILE && (await profiles.find(name)) === null) missing(name)
      await profiles.use(name === LOCAL_PROFILE ? null : name)
      for (const variable of ['KRE_PROFILE', 'KRE_DATA'])
        if ((context.environment[variable] ?? '') !== '')
          context.output.step(`${variable} is set and wins over it`)
      context.output.result({ name, current: true }, `Commands speak to "${name}" from now on.`)
    })
}

function removeCommand(profile: Command, context: Context): void {
  profile
    .command('remove <name>')
    .description('forget an engine and its token; the token itself lives on: see krectl token')
    .action(async (name: string) => {
      if (!(await openProfiles(context.environment).remove(name))) missing(name)
      context.output.result({ name, removed: true }, `Profile "${name}" is forgotten.`)
    })
}

function toShown({ name, url, token, ca, insecureHttp }: Profile, current: string | null): Shown {
  return { name, url, current: name === current, tokenId: tokenId(token), ca, insecureHttp }
}

/** The part of an API token that names it, `krt_<id>`, and is no secret. */
function tokenId(token: string): string {
  return /^krt_([0-9a-f]{12})_/.exec(token)?.[1] ?? 'of another kind'
}

function missing(name: string): never {
  if (name === '') throw new UsageError('name a profile: see krectl profile list')
  throw new KreError('not-found', `there is no profile "${name}": see krectl profile list`)
}
