/** Collects what goes into an image: a folder that a builder copies as it is. */
import { copyFile, chmod, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { KreError } from '@kre/contracts'
import type { ImageSpec } from './image-list.ts'
import { isForeignShipped, isOursShipped } from './is-shipped.ts'
import { productionTree, type LockedPackage, type LockFile, type Platform } from './lock-tree.ts'
import { traceImports } from './trace-imports.ts'

/** Open files are limited. */
const COPIES_AT_ONCE = 64

export type ContextFolders = {
  /** Packages of others: changes seldom, so it is a layer of its own. */
  modules: string
  code: string
}

export type ContextInput = {
  /** Of the repository. */
  root: string
  lock: LockFile
  spec: ImageSpec
  platform: Platform
  /** Of KRE. */
  version: string
}

export function contextFolders(out: string): ContextFolders {
  return { modules: join(out, 'modules'), code: join(out, 'code') }
}

/** The packages of an image, in both layers. */
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
 * @throws KreError `failed-precondition` where something has to be installed or built first.
 */
export async function writeContext(input: ContextInput, out: string): Promise<LockedPackage[]> {
  const { root, spec, platform, version } = input
  const { modules, code } = contextFolders(out)
  const packages = packagesOf(input)
  await rm(out, { recursive: true, force: true })
  await mkdir(modules, { recursive: true })
  await mkdir(code, { recursive: true })
  for (const entry of packages) {
    const target = join(entry.isOurs ? code : modules, entry.path)
    const isShipped = (path: string) =>
      entry.isOurs ? isOursShipped(path) : isForeignShipped(path, entry.name, platform)
    await copyTree(join(root, entry.path), target, isShipped)
    if (entry.isOurs) await linkPackage(code, entry)
  }
  for (const path of spec.files) await copyTree(join(root, path), join(code, path), isOursShipped)
  for (const program of spec.programs)
    for (const path of await traceImports(root, program))
      await copyTree(join(root, path), join(code, path), () => true)
  const manifest = { name: 'kre', version, private: true, type: 'module' }
  await writeFile(join(code, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  await copyTree(join(root, 'LICENSE'), join(code, 'LICENSE'), () => true)
  return packages
}

/** As npm does it: code is found by its package's name, and its real path is outside of node_modules. */
async function linkPackage(code: string, { name, path }: LockedPackage): Promise<void> {
  const link = join(code, 'node_modules', name)
  await mkdir(dirname(link), { recursive: true })
  await symlink(relative(dirname(link), join(code, path)), link)
}

async function copyTree(
  from: string,
  to: string,
  isShipped: (path: string) => boolean,
): Promise<void> {
  const found = await stat(from).catch(() => null)
  if (found === null)
    throw new KreError(
      'failed-precondition',
      `${from} is not there: "npm install" installs packages, "npm run build -w @kre/admin-ui" builds the admin UI`,
    )
  if (!found.isDirectory()) return copyOne(from, to, found.mode)
  const entries = await readdir(from, { recursive: true, withFileTypes: true })
  // A link would lead out of the folder, or to what is copied anyway.
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const shipped = files.map((file) => relative(from, file)).filter(isShipped)
  for (let i = 0; i < shipped.length; i += COPIES_AT_ONCE)
    await Promise.all(
      shipped.slice(i, i + COPIES_AT_ONCE).map(async (path) => {
        const source = join(from, path)
        await copyOne(source, join(to, path), (await stat(source)).mode)
      }),
    )
}

/** Readable for every user, since pods choose theirs, and writable for none of them. */
async function copyOne(from: string, to: string, mode: number): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o755 })
  await copyFile(from, to)
  await chmod(to, (mode & 0o100) === 0 ? 0o644 : 0o755)
}
