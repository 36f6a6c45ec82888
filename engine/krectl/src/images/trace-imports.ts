import { readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'

/** Files that a file loads when it runs, by their paths; what is imported as a type binds nobody. */
const IMPORTS = [
  /(?:^|\n)(?:import|export)(?!\s+type\b)\s+(?:[\w$*{}\s,]*?\sfrom\s+)?'(\.[^'\n]+)'/g,
  /\bimport\('(\.[^'\n]+)'\)/g,
  /new URL\('(\.[^'\n]+\.ts)', import\.meta\.url\)/g,
]

/**
 * A program with all files of this repository that it loads, and those that they load; not what it loads by the name of
 * a package. Sorted.
 *
 * @param program path from the root.
 * @throws the system's own error for a file that is not there.
 */
export async function traceImports(root: string, program: string): Promise<string[]> {
  const found = new Set<string>()
  const waiting = [program]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file)) continue
    found.add(file)
    const text = await readFile(join(root, file), 'utf8')
    for (const pattern of IMPORTS)
      for (const [, specifier = ''] of text.matchAll(pattern))
        waiting.push(normalize(join(dirname(file), specifier)))
  }
  return [...found].toSorted()
}
