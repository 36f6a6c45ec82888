import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a built file is served as. Nothing else of the folder is served. */
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
  png: 'image/png',
}
/** Plain names: no folder, no hidden file, no way up. */
const NAME = /^[\w-]+(?:\.[\w-]+)*\.([a-z0-9]+)$/
/** By preference; the build puts a file of each beside the plain one. */
const ENCODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const

export type UiFile = {
  readonly contentType: string
  /** Null = as it is. */
  readonly encoding: string | null
  readonly body: Buffer
}

/**
 * A file of the built UI, compressed as the client takes it.
 *
 * @param folder of the built UI, or its `assets`.
 * @param acceptEncoding the request's header.
 * @returns null where there is none, or none that is served.
 */
export async function readUiFile(
  folder: string,
  name: string,
  acceptEncoding: string,
): Promise<UiFile | null> {
  const extension = NAME.exec(name)?.[1] ?? ''
  const contentType = Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined
  if (contentType === undefined) return null
  const path = join(folder, name)
  for (const { name: encoding, suffix } of ENCODINGS) {
    if (!takes(acceptEncoding, encoding)) continue
    const body = await readIfThere(`${path}${suffix}`)
    if (body !== null) return { contentType, encoding, body }
  }
  const body = await readIfThere(path)
  return body === null ? null : { contentType, encoding: null, body }
}

/** The page that every address of the UI begins with; null = the UI is not built. */
export async function readUiPage(folder: string): Promise<string | null> {
  return (await readIfThere(join(folder, 'index.html')))?.toString('utf8') ?? null
}

/** @throws the system's own error for what is there and can't be read. */
async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null
    throw error
  }
}

/** Whether an `Accept-Encoding` names the encoding, and not with `q=0`. */
function takes(header: string, encoding: string): boolean {
  return header.split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
    return name === encoding && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })
}
