/** Loads a bundle's TypeScript from files that somebody has stripped of types before, where there are such. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { NodeLaunch } from '@kre/contracts/runtime'

const TYPESCRIPT = /\.[mc]?ts(?:\?.*)?$/
const STRIPPED_FORMATS: Readonly<Record<string, string>> = {
  'module-typescript': 'module',
  'commonjs-typescript': 'commonjs',
}

let isRegistered = false

/** Modules keep their own addresses, so code and stack traces see no difference. Does nothing on a second call. */
export function loadStripped({
  basePath,
  strippedPath,
}: Pick<NodeLaunch, 'basePath' | 'strippedPath'>): void {
  if (strippedPath === undefined || isRegistered) return
  isRegistered = true
  const root = realpathSync(basePath)
  const inside = pathToFileURL(`${root}/`).href
  const fileOf = (url: string): string | null => {
    if (!url.startsWith(inside) || !TYPESCRIPT.test(url)) return null
    const file = join(strippedPath, `${relative(root, fileURLToPath(url))}.js`)
    return existsSync(file) ? file : null
  }
  registerHooks({
    load(url, context, nextLoad) {
      const file = fileOf(url)
      if (file === null) return nextLoad(url, context)
      const format = STRIPPED_FORMATS[context.format ?? '']
      if (format !== undefined)
        return { format, source: readFileSync(file, 'utf8'), shortCircuit: true }
      // Nothing says what it is: Node looks at its syntax, as it would with the original.
      const found = nextLoad(pathToFileURL(file).href, { ...context, format: undefined })
      return { ...found, shortCircuit: true }
    },
  })
}
