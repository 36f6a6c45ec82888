import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const source = join(import.meta.dirname, '..')
/** What stands between tags, and in attributes that people read or hear. */
const TEXTS = [
  />([^<>{}=();]*[A-Za-z]{2}[^<>{}=();]*)<\//g,
  /^\s+([A-Z][a-z]+(?: [\w,.’'…-]+)*)$/gm,
  /\b(?:aria-label|title|placeholder|alt|label|text)="([^"]*[A-Za-z]{2}[^"]*)"/g,
]
/** Names, which no language changes. */
const NAMES = new Set(['KRE', 'UTC', 'Ctrl', 'Ctrl K', 'krectl login', 'null'])

test('what people read is in texts/, and nowhere else', async () => {
  const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('.tsx'))
  expect(files.length).toBeGreaterThan(50)
  const found: string[] = []
  for (const file of files) {
    const code = (await readFile(join(source, file), 'utf8')).replace(/\/\*[^]*?\*\//g, '')
    for (const pattern of TEXTS)
      for (const [, text = ''] of code.matchAll(pattern))
        if (!NAMES.has(text.trim())) found.push(`${file}: ${text.trim()}`)
  }
  expect(found).toEqual([])
})
