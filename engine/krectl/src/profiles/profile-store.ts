import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { KreError } from '@kre/contracts'
import { z } from 'zod'
import { UsageError } from '../output/exit-code.ts'

/** An engine somewhere else, and what one is known by there. */
export type Profile = {
  readonly name: string
  readonly url: string
  readonly token: string
  /** File with the only authorities that the engine's certificate may be signed by; null = those of the system. */
  readonly ca: string | null
  /** Whether the token may travel unencrypted to another computer. */
  readonly insecureHttp: boolean
}

/** The engine of this computer, which needs no profile. */
export const LOCAL_PROFILE = 'local'

const StoredProfile = z.strictObject({
  url: z.string(),
  token: z.string().min(1),
  ca: z.string().nullable(),
  insecureHttp: z.boolean(),
})
/** Lower case alone, because a name is a file's and some disks can't tell the cases apart. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/
const SUFFIX = '.json'
/** Permissions that anybody but the owner has. */
const OF_OTHERS = 0o077

export type Profiles = {
  /** By name. @throws KreError `failed-precondition` for a file that is damaged or open to others. */
  list(): Promise<Profile[]>
  /** Null when there is none. @throws as `list`. */
  find(name: string): Promise<Profile | null>
  /** @throws KreError `already-exists` unless `replace`. */
  save(profile: Profile, options: { replace: boolean }): Promise<void>
  /** @returns whether it was there. When it was the current one, the local engine is current again. */
  remove(name: string): Promise<boolean>
  /** Name of the profile that counts where none is named; null = this computer's engine. */
  current(): Promise<string | null>
  /** @param name null = this computer's engine. */
  use(name: string | null): Promise<void>
}

/**
 * Profiles are files of their own, so that two commands at once can't lose one: `kre/profiles/<name>.json` below
 * `$XDG_CONFIG_HOME` (`~/.config`), for their owner alone; `kre/profile` names the current one.
 */
export function openProfiles(environment: Readonly<Record<string, string | undefined>>): Profiles {
  const home = configHome(environment)
  const place = (...parts: string[]): string => {
    if (home === null)
      throw new KreError(
        'failed-precondition',
        'there is no place for profiles: set HOME, or XDG_CONFIG_HOME to an absolute path',
      )
    return join(home, 'kre', ...parts)
  }
  const fileOf = (name: string): string => place('profiles', `${checkProfileName(name)}${SUFFIX}`)

  async function find(name: string): Promise<Profile | null> {
    const file = fileOf(name)
    const text = await readPrivate(file)
    return text === null ? null : { name, ...parseProfile(file, text) }
  }

  async function current(): Promise<string | null> {
    if (home === null) return null
    const name = (await readFile(place('profile'), 'utf8').catch(unlessMissing))?.trim() ?? ''
    return name === '' || name === LOCAL_PROFILE ? null : name
  }

  async function use(name: string | null): Promise<void> {
    const file = place('profile')
    if (name === null) return rm(file, { force: true })
    await mkdir(place(), { recursive: true, mode: 0o700 })
    const draft = `${file}.${randomUUID()}`
    await writeFile(draft, `${name}\n`, { mode: 0o600 })
    await rename(draft, file)
  }

  return {
    find,
    current,
    use,
    async list() {
      if (home === null) return []
      const files = (await readdir(place('profiles')).catch(unlessMissing)) ?? []
      const names = files
        .filter((file) => file.endsWith(SUFFIX))
        .map((file) => file.slice(0, -SUFFIX.length))
        .filter((name) => NAME.test(name))
      const found = await Promise.all(names.toSorted().map(find))
      return found.filter((profile) => profile !== null)
    },
    async save({ name, ...stored }, { replace }) {
      const file = fileOf(name)
      await mkdir(place('profiles'), { recursive: true, mode: 0o700 })
      const draft = `${file}.${randomUUID()}`
      try {
        await writePrivate(draft, `${JSON.stringify(stored, null, 2)}\n`)
        // A link refuses what is there already; a rename takes its place. Both show a whole file or none.
        if (replace) await rename(draft, file)
        else await link(draft, file).catch(ifExists(name))
      } finally {
        await rm(draft, { force: true })
      }
    },
    async remove(name) {
      const file = fileOf(name)
      const isThere = (await stat(file).catch(unlessMissing)) !== null
      await rm(file, { force: true })
      if ((await current()) === name) await use(null)
      return isThere
    },
  }
}

/** @throws UsageError. */
export function checkProfileName(name: string): string {
  if (NAME.test(name) && name !== LOCAL_PROFILE) return name
  throw new UsageError(
    name === LOCAL_PROFILE
      ? `"${LOCAL_PROFILE}" is the engine of this computer and needs no profile: use another name`
      : `"${name}" is no name of a profile: use a-z, 0-9, ".", "_" and "-", at most 32 of them, and begin with a letter or digit`,
  )
}

/** A relative path there is to be ignored (XDG Base Directory Specification). */
function configHome(environment: Readonly<Record<string, string | undefined>>): string | null {
  const { XDG_CONFIG_HOME: wanted = '', HOME: home = '' } = environment
  if (isAbsolute(wanted)) return wanted
  return isAbsolute(home) ? join(home, '.config') : null
}

async function readPrivate(path: string): Promise<string | null> {
  const file = await open(path, 'r').catch(unlessMissing)
  if (file === null) return null
  try {
    const { mode } = await file.stat()
    if ((mode & OF_OTHERS) !== 0)
      throw new KreError(
        'failed-precondition',
        `${path} holds an API token, and others can use the file: chmod 600 it, and make a new token if somebody may have read it`,
      )
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

async function writePrivate(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: 'wx' })
}

function parseProfile(file: string, text: string): Omit<Profile, 'name'> {
  const parsed = StoredProfile.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new KreError(
    'failed-precondition',
    `${file} is damaged: remove it, and add the profile again`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // not even JSON: refused by the schema
  }
}

function unlessMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
  throw error
}

function ifExists(name: string): (error: unknown) => never {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new KreError(
      'already-exists',
      `there is a profile "${name}" already: choose another name, or add --replace`,
      {},
      { cause: error },
    )
  }
}
