import { isReadableYaml } from '@kre/contracts'
import { isMap, isScalar, parseDocument } from 'yaml'

const PLAIN_NAME = /^[a-z][-a-z0-9]*$/
/** Words that YAML, or its older readers, take for something else than text. */
const YAML_WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/

/**
 * Puts another version name into the text of a manifest and leaves every other character as it is.
 * A manifest without a readable `version:` comes back unchanged: its validation says what is wrong.
 */
export function renameVersion(text: string, versionName: string): string {
  const contents = parseSafely(text)
  if (!isMap(contents)) return text
  const pair = contents.items.find(({ key }) => isScalar(key) && key.value === 'version')
  const range = isScalar(pair?.value) ? pair.value.range : undefined
  if (range === undefined || range === null) return text
  const [start, end] = range
  const plain = PLAIN_NAME.test(versionName) && !YAML_WORDS.test(versionName)
  const written = plain ? versionName : JSON.stringify(versionName)
  const lineEnd = text.slice(start, end).endsWith('\n') ? '\n' : ''
  const space = start === end ? ' ' : ''
  return `${text.slice(0, start)}${space}${written}${lineEnd}${text.slice(end)}`
}

/** Null for text that no parser should be given: its validation says why. */
function parseSafely(text: string): unknown {
  if (!isReadableYaml(text)) return null
  try {
    // The parser's own check of keys is quadratic.
    return parseDocument(text, { version: '1.2', prettyErrors: false, uniqueKeys: false }).contents
  } catch (thrown) {
    // Blocks that are nested deeper than its stack.
    if (thrown instanceof RangeError) return null
    throw thrown
  }
}
