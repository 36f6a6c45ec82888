/** Images of nodes and entrypoints: on a laptop nothing is pulled, an image only says which runner runs the code. */
import type { DocumentPath } from './document-path.ts'
import type { Report } from './issue-collector.ts'
import { nearestName } from './nearest-name.ts'

/** `onnx` runs a model without code. */
export type Runner = 'typescript' | 'python' | 'onnx'

/** What an installation makes of images. */
export type ImageRules = {
  /** Runner by the last part of an image's path (`kre-py`), in addition to the known ones. */
  runners?: Readonly<Record<string, Runner>>
  /** Names of entrypoint images, in addition to the known ones. */
  entrypoints?: readonly string[]
  /** Patterns of allowed references, `*` for any text: `registry.example/team/*`. Absent: all are allowed. */
  allow?: readonly string[]
}

const RUNNERS: Readonly<Record<string, Runner>> = {
  'kre-py': 'python',
  'kre-ts': 'typescript',
  'kre-typescript': 'typescript',
  'kre-node': 'typescript',
  'kre-onnx': 'onnx',
}
const ENTRYPOINT_IMAGES = ['kre-entrypoint', 'kre-runtime-entrypoint']
/** Runners of the original that this engine does not have. */
const MISSING_RUNNERS: Readonly<Record<string, string>> = {
  'kre-go': 'Go nodes do not run on this engine yet: write the node in TypeScript or Python',
}
/** Suffixes of code that a runner can load. */
const SUFFIXES: Readonly<Record<Runner, readonly string[]>> = {
  python: ['.py'],
  typescript: ['.ts', '.js', '.mjs'],
  onnx: ['.onnx'],
}

/** Grammar of the distribution specification: `[registry[:port]/]path[:tag][@digest]`. */
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?'
/** What tells a registry from the first part of a path: a dot, a port, or being `localhost`. */
const REGISTRY = `(?:localhost|${LABEL}(?:\\.${LABEL})+|${LABEL}(?=:))(?::[0-9]{1,5})?`
const PATH_PART = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*'
const IMAGE = new RegExp(
  `^(?:${REGISTRY}/)?(?<path>${PATH_PART}(?:/${PATH_PART})*)` +
    '(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?' +
    '(?:@(?<digest>[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,128}))?$',
)
const IMAGE_CHARS_MAX = 255

type ImageReference = { name: string; tag: string | null; digest: string | null }

/** @returns null when `image` is no legal reference. */
export function parseImage(image: string): ImageReference | null {
  const groups = image.length > IMAGE_CHARS_MAX ? undefined : IMAGE.exec(image)?.groups
  const path = groups?.['path']
  if (path === undefined) return null
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    tag: groups?.['tag'] ?? null,
    digest: groups?.['digest'] ?? null,
  }
}

export type RunnerResolution =
  | { runner: Runner }
  /** Why no runner is known, and what to write instead. */
  | { unknown: { message: string; hint: string } }

/** @param src path of the code, which only decides what is suggested for an unknown image. */
export function resolveRunner(
  image: string,
  src: string,
  rules: ImageRules = {},
): RunnerResolution {
  const name = parseImage(image)?.name ?? ''
  const runners = { ...RUNNERS, ...rules.runners }
  const runner = Object.hasOwn(runners, name) ? runners[name] : undefined
  if (runner !== undefined) return { runner }
  const known = Object.keys(runners)
  const missing = Object.hasOwn(MISSING_RUNNERS, name) ? MISSING_RUNNERS[name] : undefined
  const message = `no runner is known for image "${image}"; known are ${known.join(', ')}`
  if (missing !== undefined) return { unknown: { message, hint: missing } }
  const suffix = suffixOf(src)
  const fitting = known.find((candidate) => {
    const candidateRunner = runners[candidate]
    return candidateRunner !== undefined && SUFFIXES[candidateRunner].includes(suffix)
  })
  const nearest = nearestName(name, known) ?? fitting
  const hint =
    nearest === undefined
      ? 'the last part of its path, before the tag, selects the runner'
      : `write "konstellation/${nearest}:<tag>"`
  return { unknown: { message, hint } }
}

/** Checks an image of a node (`src` given) or of the entrypoint (`src` null). */
export function checkImage(
  image: string,
  src: string | null,
  place: { path: DocumentPath; subject: string; rules: ImageRules },
  report: Report,
): void {
  const { path, subject, rules } = place
  const reference = parseImage(image)
  if (reference === null) {
    report.add({
      code: 'IMAGE_SYNTAX',
      path,
      message: `${subject}image ${JSON.stringify(image.slice(0, IMAGE_CHARS_MAX))} is not a legal reference`,
      hint: 'write [registry[:port]/]path[:tag][@digest], the path in lower case',
    })
    return
  }
  if (rules.allow !== undefined && !rules.allow.some((pattern) => matches(pattern, image))) {
    report.add({
      code: 'IMAGE_NOT_ALLOWED',
      path,
      message: `${subject}image "${image}" is not allowed on this installation`,
      hint: `allowed: ${rules.allow.join(', ')}`,
    })
  }
  if (src === null) checkEntrypointImage(image, reference, place, report)
  else {
    const resolution = resolveRunner(image, src, rules)
    if ('unknown' in resolution) {
      const { message, hint } = resolution.unknown
      report.add({ code: 'IMAGE_UNKNOWN', path, message: `${subject}${message}`, hint })
    }
  }
  if (reference.digest === null && (reference.tag ?? 'latest') === 'latest') {
    report.add({
      code: 'IMAGE_FLOATING',
      path,
      message: `${subject}image "${image}" ${reference.tag === null ? 'has no tag' : 'has the tag latest'}, so it may change under the version`,
      hint: 'name a fixed tag or a digest',
    })
  }
}

function checkEntrypointImage(
  image: string,
  { name }: ImageReference,
  { path, subject, rules }: { path: DocumentPath; subject: string; rules: ImageRules },
  report: Report,
): void {
  const known = [...ENTRYPOINT_IMAGES, ...(rules.entrypoints ?? [])]
  if (known.includes(name)) return
  const message = `${subject}"${image}" is no entrypoint image; known are ${known.join(', ')}`
  const hint = `write "konstellation/${known[0]}:<tag>"`
  report.add({ code: 'IMAGE_UNKNOWN', path, message, hint })
}

/** Suffixes of the runner of `image` when `src` has none of them, else null. */
export function findSuffixMismatch(
  image: string,
  src: string,
  rules: ImageRules,
): { runner: Runner; suffixes: readonly string[] } | null {
  const resolution = resolveRunner(image, src, rules)
  if (!('runner' in resolution)) return null
  const suffixes = SUFFIXES[resolution.runner]
  return suffixes.includes(suffixOf(src)) ? null : { runner: resolution.runner, suffixes }
}

function suffixOf(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1)
  return file.includes('.') ? file.slice(file.lastIndexOf('.')) : ''
}

/** `*` stands for any text; everything else for itself. Linear in the length of the text for each star. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === text
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
