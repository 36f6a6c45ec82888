/** Collects an image whose programs are bundled: these, the packages that code of users imports, and licences. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { bundlePrograms, PROGRAMS } from './bundle-programs.ts'
import { copyTree } from './copy-tree.ts'
import { isForeignShipped, isLicence } from './is-shipped.ts'
import { productionTree, type LockedPackage } from './lock-tree.ts'
import type { ContextFolders, ContextInput } from './context-input.ts'

/**
 * @param tree all packages that the programs' workspaces need.
 * @returns those of them that are in the image: whole, or taken into a program.
 */
export async function writePrograms(
  { root, lock, spec, platform }: ContextInput,
  tree: readonly LockedPackage[],
  { modules, code }: ContextFolders,
): Promise<LockedPackage[]> {
  const provided = tree.filter(({ name }) => spec.provided.includes(name))
  const ours = provided.filter(({ isOurs }) => isOurs)
  const foreign = provided.filter(({ isOurs }) => !isOurs)
  const omit = Object.keys(spec.omit)
  const sources = await bundlePrograms(
    {
      root,
      programs: { ...spec.bundled, ...Object.fromEntries(ours.map(doorProgram)) },
      external: [...foreign.map(({ name }) => name), ...omit],
    },
    join(code, PROGRAMS),
  )
  const whole = productionTree(
    lock,
    foreign.map(({ path }) => path),
    platform,
    new Set(omit),
  )
  for (const { path, name } of whole)
    await copyTree(join(root, path), join(modules, path), (file) =>
      isForeignShipped(file, name, platform),
    )
  const taken = packagesWith(sources, tree).filter(
    ({ path }) => !whole.some((w) => w.path === path),
  )
  for (const { path, isOurs } of taken)
    await copyTree(
      join(root, path),
      join(isOurs ? code : modules, path),
      // What it is, and under which terms.
      (file) => file === 'package.json' || (!file.includes('/') && isLicence(file)),
    )
  for (const entry of ours) await writeDoor(code, entry)
  return [...whole, ...taken].toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Packages of which a file was taken in. */
function packagesWith(sources: readonly string[], tree: readonly LockedPackage[]): LockedPackage[] {
  const inside = (file: string, path: string) =>
    file.startsWith(`${path}/`) && !file.slice(path.length).includes('/node_modules/')
  return tree.filter(({ path }) => sources.some((file) => inside(file, path)))
}

/** A package of ours that code of users imports is the very same code that the programs run. */
function doorProgram({ path }: LockedPackage): [name: string, source: string] {
  return [doorName(path), `${path}/src/index.ts`]
}

function doorName(path: string): string {
  return path.replaceAll('/', '-')
}

async function writeDoor(code: string, { name, path, version }: LockedPackage): Promise<void> {
  const folder = join(code, path)
  await mkdir(folder, { recursive: true })
  const { license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    license: string
  }
  const manifest = { name, version, license, type: 'module', exports: './index.js' }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const program = relative(folder, join(code, PROGRAMS, `${doorName(path)}.js`))
  await writeFile(join(folder, 'index.js'), `export * from '${program}'\n`)
}
