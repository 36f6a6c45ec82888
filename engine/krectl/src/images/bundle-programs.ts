/**
 * Makes the programs of an image out of their sources: a few files of JavaScript, without types and without what nobody
 * calls. A pod starts in a third of the time that its hundreds of files in TypeScript would take.
 */
import { chmod } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { OutputChunk, Plugin } from 'rolldown'

/** Folder of the programs, beside those of the sources: all of them, and what they share, are in it. */
export const PROGRAMS = 'programs'

export type ProgramSources = {
  /** Of the repository. */
  root: string
  /** Sources by the names of programs: `entrypoint` is `runners/entrypoint/src/main.ts`. */
  programs: Readonly<Record<string, string>>
  /** Names of packages that are not taken in: they are found, or not, when a program runs. */
  external: readonly string[]
}

/** A program, or a file that a program loads by its path. */
const PLACES =
  /new URL\('([^'\n]+\.ts)', import\.meta\.url\)|createRequire\(import\.meta\.url\)\('([^'\n]+\.ts)'\)|import\.meta\.(url|dirname)\b/g

/**
 * @param out folder that gets them; each has a source map beside it, without sources.
 * @returns paths from the root of all files that were taken in, sorted.
 * @throws the bundler's own error, which names file and place.
 */
export async function bundlePrograms(
  { root, programs, external }: ProgramSources,
  out: string,
): Promise<string[]> {
  // Only who builds images needs it: it takes as long to load as krectl itself.
  const { rolldown } = await import('rolldown')
  const input = Object.fromEntries(
    Object.entries(programs).map(([name, source]) => [name, join(root, source)]),
  )
  const isExternal = (id: string) =>
    external.some((name) => id === name || id.startsWith(`${name}/`))
  const bundle = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    external: isExternal,
    plugins: [keepPlaces(root), leanBuiltins()],
    // They are pure: without this, a program that needs one of them would load all of them first.
    treeshake: { moduleSideEffects: (id) => !id.startsWith(join(root, 'engine/contracts/')) },
    logLevel: 'warn',
  })
  const { output } = await bundle.write({
    dir: out,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
    sourcemapExcludeSources: true,
    sourcemapIgnoreList: false,
    // As seen from the folder of the programs in the image, where the root is the folder above.
    sourcemapPathTransform: (path, map) => join('..', relative(root, join(dirname(map), path))),
  })
  await bundle.close()
  // Whatever the umask of who builds.
  for (const { fileName } of output) await chmod(join(out, fileName), 0o644)
  const chunks = output.filter((one): one is OutputChunk => one.type === 'chunk')
  const ids = chunks.flatMap(({ moduleIds }) => moduleIds)
  return ids
    .filter((id) => id.startsWith(`${root}/`))
    .map((id) => relative(root, id))
    .toSorted()
}

/**
 * Sources find files by their own place. Bundled, they look from where they were, as if the repository were beside
 * the programs; a source that they load becomes a program of its own.
 */
function keepPlaces(root: string): Plugin {
  return {
    name: 'keep-places',
    transform(code, id) {
      if (!id.startsWith(`${root}/`) || id.includes('/node_modules/')) return null
      if (!code.includes('import.meta.')) return null
      const program = (source: string) => {
        const fileName = `${source.replace(/^.*\/|\.ts$/g, '')}.js`
        this.emitFile({ type: 'chunk', id: join(dirname(id), source), fileName })
        return `'./${fileName}'`
      }
      const file = `../${relative(root, id)}`
      const moved = (_: string, started?: string, required?: string, place?: string) => {
        if (started !== undefined) return `new URL(${program(started)}, import.meta.url)`
        if (required !== undefined) return `createRequire(import.meta.url)(${program(required)})`
        return place === 'url'
          ? `new URL('${file}', import.meta.url).href`
          : `(import.meta.dirname + '/${dirname(file)}')`
      }
      // Lines stay where they are, which is all that a source map is good for there.
      return { code: code.replaceAll(PLACES, moved), map: null }
    },
  }
}

/** As the bundler writes them: one a line, at the top of a file. */
const BUILTIN = /^import (?:(\w+)|\* as (\w+)|(\{[^}]*\})) from "(node:[^"]+)";$/gm

/** One that is loaded when it is wanted. */
const LATER_BUILTIN = /\bimport\("(node:[^"]+)"\)/g

/**
 * An `import` of a module of Node.js reads all that it exports, and so loads what is loaded when somebody asks: streams
 * and promises of files, workers, Web Crypto. That is 2 MiB in each process, for nothing; of `node:http` it is all of
 * `fetch`, and a third of the time that a node's process takes to start.
 */
function leanBuiltins(): Plugin {
  return {
    name: 'lean-builtins',
    renderChunk(code) {
      const asked = (_: string, whole?: string, all?: string, names?: string, module?: string) =>
        `const ${whole ?? all ?? names?.replaceAll(' as ', ': ')} = process.getBuiltinModule("${module}");`
      const lean = code
        .replaceAll(BUILTIN, asked)
        .replaceAll(LATER_BUILTIN, 'Promise.resolve(process.getBuiltinModule("$1"))')
      return { code: lean, map: null }
    },
  }
}
