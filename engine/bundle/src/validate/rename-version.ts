import { isMap, isScalar, parseDocument } from 'yaml'

const PLAIN_NAME = /^[a-z][-a-z0-9]*$/
/** Words that YAML, or its older readers, take for something else than text. */
const YAML_WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/

/**
 * Puts another version name into the text of a manifest and leaves every other character as it is.
 * A manifest without a readable `version:` comes back unchanged: its validation says what is wrong.
 */
export function renameVersion(text: string, versionName: string): string {
  const { contents } = parseDocument(text, { version: '1.2', prettyErrors: false })
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
