import { resolve } from 'node:path'
import { UsageError } from '../output/exit-code.ts'
import { checkEngineUrl } from './check-engine-url.ts'
import { LOCAL_PROFILE } from './profile-store.ts'

/** The global options that say which engine is meant. */
export type EngineOptions = {
  data?: string
  profile?: string
  url?: string
  tokenFile?: string
  ca?: string
  insecureHttp?: boolean
}

/** Which engine a command speaks to. `undecided`: the current profile, or this computer's engine where there is none. */
export type EngineChoice =
  | { kind: 'local'; dataDir: string }
  | { kind: 'undecided'; dataDir: string }
  | { kind: 'profile'; name: string }
  | {
      kind: 'url'
      url: string
      /** Absolute; null = the token is in $KRE_TOKEN. */
      tokenFile: string | null
      ca: string | null
      insecureHttp: boolean
    }

type Surroundings = {
  cwd: string
  environment: Readonly<Record<string, string | undefined>>
  /** Data folder of this checkout. */
  dataDir: string
}

/**
 * Options win over the environment, and that over `krectl profile use`: --data, --profile or --url, of which one can be
 * given; $KRE_PROFILE; $KRE_DATA; the current profile; the engine of this checkout.
 *
 * @throws UsageError for options that contradict each other.
 */
export function chooseEngine(options: EngineOptions, surroundings: Surroundings): EngineChoice {
  const { cwd, environment, dataDir } = surroundings
  const { data, profile, url } = options
  const named = [
    data === undefined ? [] : '--data',
    profile === undefined ? [] : '--profile',
    url === undefined ? [] : '--url',
  ].flat()
  if (named.length > 1)
    throw new UsageError(`${named.join(' and ')} each name an engine: give one of them`)
  if (url !== undefined) return ofUrl(url, options, cwd)
  const extra = [
    options.tokenFile === undefined ? [] : '--token-file',
    options.ca === undefined ? [] : '--ca',
    options.insecureHttp === undefined ? [] : '--insecure-http',
  ].flat()
  if (extra.length > 0)
    throw new UsageError(`${extra.join(' and ')} go with --url: a profile has its own`)
  if (data !== undefined) return { kind: 'local', dataDir: dataFolder(data, cwd) }
  const wanted = profile ?? nonEmpty(environment['KRE_PROFILE'])
  if (wanted === LOCAL_PROFILE) return { kind: 'local', dataDir }
  if (wanted !== undefined) return { kind: 'profile', name: wanted }
  const kind = nonEmpty(environment['KRE_DATA']) === undefined ? 'undecided' : 'local'
  return { kind, dataDir }
}

/** The data folder that commands about this computer's engine work on. @throws UsageError for an empty one. */
export function chooseDataDir(
  { data }: EngineOptions,
  { cwd, environment, root }: Omit<Surroundings, 'dataDir'> & { root: string },
): string {
  const wanted = data ?? nonEmpty(environment['KRE_DATA'])
  return wanted === undefined ? resolve(root, '.kre') : dataFolder(wanted, cwd)
}

function ofUrl(url: string, options: EngineOptions, cwd: string): EngineChoice {
  const { tokenFile, ca, insecureHttp = false } = options
  return {
    kind: 'url',
    url: checkEngineUrl(url, { insecureHttp }),
    tokenFile: tokenFile === undefined ? null : resolve(cwd, tokenFile),
    ca: ca === undefined ? null : resolve(cwd, ca),
    insecureHttp,
  }
}

function dataFolder(data: string, cwd: string): string {
  if (data === '') throw new UsageError('--data needs a folder')
  return resolve(cwd, data)
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)
