/**
 * Texts of a bundle that lies in the browser, to show a finding at its line. The engine has judged the bundle; this
 * only looks files up in it, within bounds, and leaves out what it can't read.
 */
import { createByteSource, type ByteSource } from './byte-source.ts'
import { readTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts'

/** Of the expanded archive: what lies behind them is not looked at. */
const EXPANDED_BYTES_MAX = 256 * 1024 * 1024
/** Of one file. Manifests are not larger. */
const TEXT_BYTES_MAX = 512 * 1024
/** Of a name in an extended header. */
const NAME_BYTES_MAX = 16 * 1024

/**
 * @param names paths inside the bundle, as findings have them.
 * @returns the text of each that was found; what is no UTF-8 is replaced in it.
 */
export async function readBundleTexts(
  bundle: Blob,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  if (names.size === 0) return texts
  const source = createByteSource(await expand(bundle), EXPANDED_BYTES_MAX)
  try {
    await collect(source, names, texts)
  } catch {
    // Damaged, or no archive at all: the engine says so, and what was found until then is shown.
  } finally {
    await source.end()
  }
  return texts
}

async function expand(bundle: Blob): Promise<ReadableStream<Uint8Array>> {
  const [first, second] = new Uint8Array(await bundle.slice(0, 2).arrayBuffer())
  if (first !== 0x1f || second !== 0x8b) return bundle.stream()
  return bundle.stream().pipeThrough(new DecompressionStream('gzip'))
}

async function collect(
  source: ByteSource,
  names: ReadonlySet<string>,
  texts: Map<string, string>,
): Promise<void> {
  const decoder = new TextDecoder()
  let longName: string | null = null
  while (texts.size < names.size) {
    const block = await source.take(TAR_BLOCK_BYTES)
    const header = block === null ? null : readTarHeader(block)
    if (header === null) return
    const padding = (TAR_BLOCK_BYTES - (header.size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES
    const isName = header.kind === 'long-name' || header.kind === 'extended'
    const name = (longName ?? header.name).replace(/^(\.\/)+/, '')
    const isWanted = header.kind === 'file' && names.has(name) && !texts.has(name)
    if (!isName) longName = null
    if ((isName && header.size <= NAME_BYTES_MAX) || (isWanted && header.size <= TEXT_BYTES_MAX)) {
      const body = await source.take(header.size)
      if (body === null) return
      if (header.kind === 'long-name') longName = decoder.decode(body).replace(/\0[^]*$/, '')
      else if (header.kind === 'extended') longName = pathOf(decoder.decode(body)) ?? longName
      else texts.set(name, decoder.decode(body))
    } else if (!(await source.skip(header.size))) return
    if (!(await source.skip(padding))) return
  }
}

/** `path` of a pax header: lines of `<length> <key>=<value>`. */
function pathOf(pax: string): string | null {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(pax)?.[1] ?? null
}
