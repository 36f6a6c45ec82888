import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)
/** Text; pictures are compressed already. */
const COMPRESSIBLE = /\.(?:js|css|svg)$/

/** Puts `name.br` and `name.gz` beside each text file of the folder, so that nobody compresses at every request. */
export async function compressFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!COMPRESSIBLE.test(name)) continue
    const path = join(folder, name)
    const content = await readFile(path)
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
    await Promise.all([
      toBrotli(content, { params }).then((bytes) => writeFile(`${path}.br`, bytes)),
      toGzip(content, { level: 9 }).then((bytes) => writeFile(`${path}.gz`, bytes)),
    ])
  }
}
