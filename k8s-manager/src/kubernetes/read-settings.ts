/** The file in which an operator says how versions run on a cluster. */
import { KreError, toKreError, type Tracing } from '@kre/contracts'
import { parse as parseYaml } from 'yaml'
import { KubernetesSettings } from './settings.ts'

/**
 * @param text YAML.
 * @param name of the file, for people.
 * @param tracing that the engine is told, where the file says nothing.
 * @throws KreError `invalid-argument` with all problems at once.
 */
export function readKubernetesSettings(
  text: string,
  name: string,
  tracing: Tracing | null,
): KubernetesSettings {
  const parsed = KubernetesSettings.safeParse(parse(text, name))
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.length === 0 ? 'the file' : path.join('.')}: ${message}`,
    )
    throw new KreError(
      'invalid-argument',
      `the settings of Kubernetes in ${name} are wrong: ${problems.join('; ')}`,
    )
  }
  return { ...parsed.data, tracing: parsed.data.tracing ?? tracing }
}

function parse(text: string, name: string): unknown {
  try {
    return parseYaml(text)
  } catch (error) {
    throw new KreError(
      'invalid-argument',
      `${name} is no YAML: ${toKreError(error).message}`,
      {},
      { cause: error },
    )
  }
}
