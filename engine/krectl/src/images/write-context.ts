/** Collects what goes into an image: a folder that a builder copies as it is. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { ContextFolders, ContextInput } from './context-input.ts'
import { copyTree } from './copy-tree.ts'
import type { ImageSpec } from './image-list.ts'
import { isForeignShipped, isOursShipped } from './is-shipped.ts'
import { productionTree, type LockedPackage } from './lock-tree.ts'
import { traceImports } from './trace-imports.ts'
import { writePrograms } from './write-programs.ts'

export function contextFolders(out: string): ContextFolders {
  return { modules: join(out, 'modules'), code: join(out, 'code') }
}

/** The packages that an image's workspaces need. */
export function packagesOf({
  lock,
  spec,
  platform,
}: Pick<ContextInput, 'lock' | 'spec' | 'platform'>): LockedPackage[] {
  return productionTree(lock, spec.workspaces, platform, new Set(Object.keys(spec.omit)))
}

/**
 * Fills the folder anew. The same sources give the same names, contents and modes.
 *
 * @returns the packages that are in it.
 * @throws KreError `failed-precondition` where something has to be installed or built first.
 */
export async function writeContext(input: ContextInput, out: string): Promise<LockedPackage[]> {
  const { root, spec, version } = input
  const folders = contextFolders(out)
  const { modules, code } = folders
  await rm(out, { recursive: true, force: true })
  await mkdir(modules, { recursive: true })
  await mkdir(code, { recursive: true })
  const tree = packagesOf(input)
  const isBundled = Object.keys(spec.bundled).length > 0
  const packages = isBundled ? await writePrograms(input, tree, folders) : tree
  if (!isBundled) await copyPackages(input, tree, folders)
  for (const entry of packages) if (isImported(entry, spec)) await linkPackage(code, entry)
  for (const path of spec.files) await copyTree(join(root, path), join(code, path), isOursShipped)
  for (const program of spec.programs)
    for (const path of await traceImports(root, program))
      await copyTree(join(root, path), join(code, path), () => true)
  const manifest = { name: 'kre', version, private: true, type: 'module' }
  await writeFile(join(code, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  await copyTree(join(root, 'LICENSE'), join(code, 'LICENSE'), () => true)
  return packages
}

async function copyPackages(
  { root, platform }: ContextInput,
  packages: readonly LockedPackage[],
  { modules, code }: ContextFolders,
): Promise<void> {
  for (const { path, name, isOurs } of packages)
    await copyTree(join(root, path), join(isOurs ? code : modules, path), (file) =>
      isOurs ? isOursShipped(file) : isForeignShipped(file, name, platform),
    )
}

/** Bundled programs have ours in them, whoever else imports them by name. */
function isImported({ name, isOurs }: LockedPackage, { bundled, provided }: ImageSpec): boolean {
  return isOurs && (Object.keys(bundled).length === 0 || provided.includes(name))
}

/** As npm does it: code is found by its package's name, and its real path is outside of node_modules. */
async function linkPackage(code: string, { name, path }: LockedPackage): Promise<void> {
  const link = join(code, 'node_modules', name)
  await mkdir(dirname(link), { recursive: true })
  await symlink(relative(dirname(link), join(code, path)), link)
}
