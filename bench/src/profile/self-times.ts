/** Where a V8 CPU profile was, without the functions that were called from there. */

/** What the inspector's `Profiler.stop` gives, as far as it is read here. */
export type CpuProfile = {
  nodes: {
    id: number
    callFrame: { functionName: string; url: string; lineNumber: number }
  }[]
  /** Ids of nodes, one per sample. */
  samples: number[]
  /** Microseconds from the sample before to each. */
  timeDeltas: number[]
}

export const CATEGORIES = [
  'http2',
  'requests',
  'envelope',
  'nats',
  'runner',
  'handler',
  'node',
  'gc',
  'native',
] as const
export type Category = (typeof CATEGORIES)[number]

export type SelfTime = {
  /** `publish core-nats/src/connection.ts:120`. */
  name: string
  category: Category
  micros: number
}

/** Files by what they do; the first that fits counts. What is nowhere else is a bundle's or a package's. */
const PLACES: readonly (readonly [RegExp, Category])[] = [
  [/^node:/, 'node'],
  [/runners\/entrypoint\/src\/(?:http2|grpc)\//, 'http2'],
  [/runners\/entrypoint\//, 'requests'],
  [/engine\/contracts\//, 'envelope'],
  [/runners\/core-nats\//, 'nats'],
  [/(?:runners\/(?:node-runner|wire)|engine\/service-kit)\//, 'runner'],
]

/** Waiting, and the end of the inspector that began the profile. */
const NOT_WORK = new Set(['(idle)', '_debugEnd'])

/** Most first; without the time in which the process waited. @param root of the checkout, left out of the names. */
export function selfTimes(profile: CpuProfile, root: string): SelfTime[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const found = new Map<string, SelfTime>()
  for (const [index, id] of profile.samples.entries()) {
    const frame = frames.get(id)
    // A sample lasts until the next one.
    const micros = profile.timeDeltas[index + 1] ?? 0
    if (frame === undefined || NOT_WORK.has(frame.functionName) || micros <= 0) continue
    const one = described(frame, root)
    const known = found.get(one.name)
    if (known === undefined) found.set(one.name, { ...one, micros })
    else known.micros += micros
  }
  return [...found.values()].toSorted((a, b) => b.micros - a.micros)
}

function described(
  { functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'],
  root: string,
): Omit<SelfTime, 'micros'> {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (name === '(garbage collector)') return { name, category: 'gc' }
  // Without a file: system calls and other compiled code, and the loop around it.
  if (url === '') return { name, category: 'native' }
  const path = url.replace(/^file:\/\//, '')
  const short = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
  const category = PLACES.find(([pattern]) => pattern.test(short))?.[1] ?? 'handler'
  // Bundles are in a folder of the run, whose name means nothing to a reader.
  const file = short.startsWith('/') ? short.split('/').slice(-2).join('/') : short
  return { name: `${name} ${file}:${lineNumber + 1}`, category }
}
