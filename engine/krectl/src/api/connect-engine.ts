import { readFile } from 'node:fs/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { chooseTarget } from '../minikube/choose-target.ts'
import { type DevelopmentTarget, readClusterSettings } from '../minikube/cluster-settings.ts'
import { connectDeployed } from '../minikube/forward-admin.ts'
import { UsageError } from '../output/exit-code.ts'
import { checkEngineUrl } from '../profiles/check-engine-url.ts'
import { chooseEngine, type EngineChoice } from '../profiles/choose-engine.ts'
import { openProfiles, type Profile } from '../profiles/profile-store.ts'
import { connectAdmin, createAdminClient, type AdminClient } from './admin-client.ts'

type ConnectContext = Pick<
  Context,
  'cwd' | 'environment' | 'dataDir' | 'engineOptions' | 'signal' | 'stderr' | 'releases'
>

/**
 * A client of the engine that the command line, the environment or the current profile names; with KRECTL_TARGET=minikube
 * and nothing else that names one, of the engine in that cluster.
 *
 * @param target what the command was told, where it can be told one.
 * @throws UsageError for options that contradict each other; EngineUnreachable when no engine runs here; KreError
 *   `not-found` for a profile that isn't there, `failed-precondition` for a token that can't be read.
 */
export async function connectEngine(
  context: ConnectContext,
  target?: DevelopmentTarget,
): Promise<AdminClient> {
  const choice = chooseEngine(context.engineOptions, context)
  const profiles = openProfiles(context.environment)
  switch (choice.kind) {
    case 'local':
      return connectAdmin(choice.dataDir)
    case 'undecided': {
      // The file of settings says so, or the environment: nearer than a profile that was chosen one day.
      if (chooseTarget(context, target) === 'minikube') {
        const settings = readClusterSettings(context.environment)
        return context.releases.use(await connectDeployed(context, settings)).client
      }
      const name = await profiles.current()
      return name === null ? connectAdmin(choice.dataDir) : connectTo(await required(name))
    }
    case 'profile':
      return connectTo(await required(choice.name))
    case 'url':
      return connectTo({ ...choice, token: await tokenOf(choice, context) })
  }

  async function required(name: string): Promise<Profile> {
    const profile = await profiles.find(name)
    if (profile !== null) return profile
    throw new KreError(
      'not-found',
      `there is no profile "${name}": see krectl profile list, or add it with krectl profile add ${name} URL`,
    )
  }
}

/**
 * @param target what the command was told, where it can be told one.
 * @throws UsageError when the engine is chosen to be another one than this computer's.
 */
export function requireLocal(
  context: Pick<ConnectContext, 'cwd' | 'environment' | 'dataDir' | 'engineOptions'>,
  what: string,
  target: DevelopmentTarget = chooseTarget(context, undefined),
): void {
  const { kind } = chooseEngine(context.engineOptions, context)
  if (kind === 'local' || (kind === 'undecided' && target === 'local')) return
  throw new UsageError(
    `"krectl ${what}" works on the engine of this computer alone: leave out --profile, --url, KRE_PROFILE and KRECTL_TARGET=minikube, or name its folder with --data`,
  )
}

/** @throws KreError `failed-precondition` for authorities that can't be read. */
export async function connectTo(
  target: Pick<Profile, 'url' | 'token' | 'ca' | 'insecureHttp'>,
): Promise<AdminClient> {
  // Asked again: a profile's file may have been edited by hand.
  const url = checkEngineUrl(target.url, target)
  if (target.ca !== null) trustOnly(target.ca, await readAuthorities(target.ca))
  return createAdminClient(url, target.token, 'remote')
}

/** A token as one line of a file, or of standard input. @param where names it in the error. */
export function checkToken(text: string, where: string): string {
  const token = text.trim()
  if (/^[\w.~+/=-]{8,500}$/.test(token)) return token
  throw new KreError(
    'failed-precondition',
    `${where} holds no API token: it is one line as "krectl token create" prints it`,
  )
}

/** @throws KreError `failed-precondition`. */
export async function readTokenFile(file: string): Promise<string> {
  return checkToken(await readFile(file, 'utf8').catch(unreadable(file)), file)
}

async function tokenOf(
  { tokenFile }: Extract<EngineChoice, { kind: 'url' }>,
  { environment }: Pick<ConnectContext, 'environment'>,
): Promise<string> {
  if (tokenFile !== null) return readTokenFile(tokenFile)
  const token = environment['KRE_TOKEN'] ?? ''
  if (token !== '') return checkToken(token, 'KRE_TOKEN')
  throw new UsageError('--url needs a token: name its file with --token-file, or set KRE_TOKEN')
}

async function readAuthorities(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(unreadable(file))
}

/** For this process, which speaks to one engine: what signs its certificate is these authorities and nobody else. */
function trustOnly(file: string, pem: string): void {
  const before = getCACertificates('default')
  try {
    setDefaultCACertificates([pem])
  } catch (error) {
    setDefaultCACertificates(before)
    throw new KreError(
      'failed-precondition',
      `${file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`,
      {},
      { cause: error },
    )
  }
}

function unreadable(file: string): (error: unknown) => never {
  return (error) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new KreError('failed-precondition', `${file} can't be read: ${why}`, {}, { cause: error })
  }
}
