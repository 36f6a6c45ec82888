/** Imports the user's file into this process. */
import { readFileSync, realpathSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { isAbsolute, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readHandlerModule, type NodeHandlers } from '@kre/sdk'
import { KreError, type NodeLaunch } from '@kre/contracts/runtime'
import { loadStripped } from './load-stripped.ts'

/** Packages that every bundle can import: its own copy wins, the engine's is there otherwise. */
const PROVIDED = /^(?:@kre\/sdk|@bufbuild\/protobuf|onnxruntime-node)(?:\/|$)/
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'] as const

/**
 * @param isShared the file may be loaded for another node of the process too; each has a module of its own.
 * @throws KreError `failed-precondition` whose message names file, line and reason, for the author of the bundle.
 */
export async function loadHandlers(
  launch: Pick<NodeLaunch, 'basePath' | 'strippedPath' | 'src' | 'node' | 'batch'>,
  isShared: boolean,
): Promise<NodeHandlers> {
  const { basePath, src, node, batch } = launch
  provideEnginePackages()
  loadStripped(launch)
  const file = resolve(basePath, src)
  const url = pathToFileURL(file)
  if (isShared) url.search = node
  try {
    const source = readFileSync(file, 'utf8')
    const exports = (await import(url.href)) as Record<string, unknown>
    return readHandlerModule(exports, source, batch !== undefined)
  } catch (error) {
    const text = describeUserError(error, basePath, src)
    throw new KreError('failed-precondition', text, { src }, { cause: error })
  }
}

/** `src/etl.ts:12: TypeError: x is not a function`: place inside the bundle, kind, reason, on one line. */
export function describeUserError(error: unknown, basePath: string, src: string): string {
  if (!(error instanceof Error)) return `${src}: ${String(error)}`
  const [reason = ''] = error.message.split('\n')
  const kind = error.name === 'Error' ? '' : `${error.name}: `
  return `${placeOf(error, basePath) ?? src}: ${kind}${inBundle(reason, basePath)}${importHint(error)}`
}

function importHint(error: Error): string {
  const isPackage =
    (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.startsWith('Cannot find package')
  return isPackage
    ? ' (bundles are packed without node_modules: build the package into the file, for example with esbuild --bundle)'
    : ''
}

function placeOf(error: Error, basePath: string): string | null {
  // The first line of a syntax error's stack is its place; other errors have it in the first frame of the bundle.
  for (const [, path, line] of (error.stack ?? '').matchAll(
    /((?:file:\/\/)?\/[^\s()]+?):(\d+)(?::\d+)?\b/g,
  )) {
    for (const root of [basePath, realPath(basePath)]) {
      const inside = relative(root, decodeURI((path as string).replace(/^file:\/\/|\?.*$/g, '')))
      if (!inside.startsWith('..') && !isAbsolute(inside)) return `${inside}:${line}`
    }
  }
  return null
}

function inBundle(text: string, basePath: string): string {
  return text.replaceAll(`${realPath(basePath)}/`, '').replaceAll(`${basePath}/`, '')
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // not there: the error at hand says so better
  }
}

let isProvided = false
export function provideEnginePackages(): void {
  if (isProvided) return
  isProvided = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        if (PROVIDED.test(specifier))
          return nextResolve(specifier, { ...context, parentURL: import.meta.url })
        if (!/^\.\.?\//.test(specifier)) throw error
        // TypeScript's older habits: `./model` and `./model.js` for a file `model.ts`.
        const bare = specifier.replace(/\.m?js$/, '')
        for (const extension of EXTENSIONS) {
          try {
            return nextResolve(bare + extension, context)
          } catch {
            continue // the next extension; the first error is the one to report
          }
        }
        throw error
      }
    },
  })
}
