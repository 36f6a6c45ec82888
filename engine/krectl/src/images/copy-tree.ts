import { chmod, copyFile, mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { KreError } from '@kre/contracts'

/** Open files are limited. */
const COPIES_AT_ONCE = 64

/**
 * Copies a file, or those of a folder that are wanted; modes become 644 or 755.
 *
 * @param isShipped is asked with paths from the folder.
 * @throws KreError `failed-precondition` when `from` is not there.
 */
export async function copyTree(
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
