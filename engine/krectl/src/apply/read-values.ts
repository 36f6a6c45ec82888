import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ConfigurationValue } from '../api/versions.ts'
import { parseEnvFile } from '../config/parse-env-file.ts'
import type { VersionEntry, ValueSource } from './apply-document.ts'

type Surroundings = {
  folder: string
  environment: Readonly<Record<string, string | undefined>>
  /** Place of a field of the version's entry. */
  at: (...path: string[]) => string
}

/**
 * The configuration values that an entry names, each key once. What can't be read becomes a problem; no problem repeats
 * a value.
 */
export async function readValues(
  { envFile, config = {} }: Pick<VersionEntry, 'envFile' | 'config'>,
  surroundings: Surroundings,
  problems: string[],
): Promise<ConfigurationValue[]> {
  const { folder, at } = surroundings
  const values = new Map<string, string>()
  if (envFile !== undefined) {
    const path = resolve(folder, envFile)
    try {
      for (const { key, value } of parseEnvFile(await readFile(path, 'utf8'), path))
        values.set(key, value)
    } catch (error) {
      problems.push(`${at('envFile')}: ${messageOf(error)}`)
    }
  }
  for (const [key, source] of Object.entries(config)) {
    const value = await readValue(source, surroundings).catch((error: unknown) => {
      problems.push(`${at('config', key)}: ${key}: ${messageOf(error)}`)
      return null
    })
    if (value !== null) values.set(key, value)
  }
  return [...values].map(([key, value]) => ({ key, value }))
}

async function readValue(
  source: ValueSource,
  { folder, environment }: Surroundings,
): Promise<string> {
  if ('value' in source) return source.value
  if ('file' in source) return readFile(resolve(folder, source.file), 'utf8')
  const value = environment[source.env]
  if (value !== undefined && value !== '') return value
  throw new Error(`the environment variable ${source.env} is not set`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
