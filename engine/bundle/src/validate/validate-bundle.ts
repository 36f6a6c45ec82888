/** From the files of a bundle to its facts, or to everything that is wrong with it. */
import {
  type BundleFacts,
  type EntrypointMethod,
  type KrtIssue,
  type KrtManifest,
  type ModelFacts,
  parseManifest,
  readEntrypointProto,
} from '@kre/contracts'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
import { sortByPath } from '../archive/write-archive.ts'
import { BundleRejection, printable, warningIssue } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'
import {
  compileClosure,
  type EntrypointService,
  type ProtoClosure,
} from '../proto/compile-closure.ts'
import { readModels } from '../models/read-models.ts'
import { checkSources } from '../sources/check-sources.ts'
import { findManifest } from './find-manifest.ts'

export type Validation =
  | { readonly ok: true; readonly facts: BundleFacts; readonly issues: KrtIssue[] }
  | { readonly ok: false; readonly issues: KrtIssue[] }

const DASHBOARD = /^metrics\/dashboards\/[^/]+\.json$/
/** More of them help nobody. */
const DASHBOARD_ISSUES_MAX = 100
const DOC_INDEX = 'docs/README.md'

/** @returns the issues of manifest, protos and sources together; only a missing manifest hides the others. */
export async function validateBundle(
  files: readonly BundleFile[],
  contents: ContentStore,
  { limits, strict = false }: { limits: BundleLimits; strict?: boolean },
): Promise<Validation> {
  const byPath = new Map(files.map((file) => [file.path, file]))
  let manifestFile: BundleFile
  try {
    manifestFile = findManifest(files)
  } catch (thrown) {
    if (!(thrown instanceof BundleRejection)) throw thrown
    return { ok: false, issues: [thrown.issue] }
  }
  const text = await readManifest(manifestFile, contents, limits)
  if (typeof text !== 'string') return { ok: false, issues: [text] }

  const protos = await compileProtos(text, byPath, contents, limits)
  const parsed = parseManifest(text, {
    file: manifestFile.path,
    files: new Set(byPath.keys()),
    service: protos?.service ?? null,
    models: protos?.ok === true ? await modelsOf(text, protos, byPath, contents, limits) : null,
    strict,
  })
  const sources = parsed.ok ? sourcesOf(parsed.manifest) : mentionedSources(text)
  const issues = [
    ...parsed.issues,
    ...(protos === null || protos.ok ? [] : protos.issues),
    ...(await checkSources(filesAt(sources, byPath), byPath, contents, limits)),
    ...(await checkDashboards(files, contents, limits)),
  ]
  if (!parsed.ok || protos === null || !protos.ok || issues.some(({ level }) => level === 'error'))
    return { ok: false, issues }
  return { ok: true, facts: describeBundle(parsed.manifest, protos, files), issues }
}

function describeBundle(
  manifest: KrtManifest,
  { descriptorSet, service }: Extract<ProtoClosure, { ok: true }>,
  files: readonly BundleFile[],
): BundleFacts {
  const paths = sortByPath(files).map(({ path }) => path)
  return {
    manifest,
    methods: methodsOf(service, manifest),
    descriptorSet: Buffer.from(descriptorSet).toString('base64'),
    hasDoc: paths.includes(DOC_INDEX),
    dashboards: paths.filter((path) => DASHBOARD.test(path)),
    files: paths,
  }
}

function methodsOf(service: EntrypointService, { workflows }: KrtManifest): EntrypointMethod[] {
  return service.methods.map(({ rpc, requestType, responseType, serverStreaming }) => ({
    path: `/${service.name}/${rpc}`,
    rpc,
    requestType,
    responseType,
    ...(serverStreaming ? { serverStreaming } : {}),
    workflow: workflows.find(({ entrypoint }) => entrypoint === rpc)?.id ?? null,
  }))
}

async function readManifest(
  file: BundleFile,
  contents: ContentStore,
  limits: BundleLimits,
): Promise<string | KrtIssue> {
  const place = { file: file.path, line: 1, column: 1 }
  if (file.size > limits.manifestBytesMax)
    return new BundleRejection(
      'YAML_TOO_LARGE',
      `the manifest has ${file.size} bytes, allowed are ${limits.manifestBytesMax}`,
      place,
    ).issue
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await contents.read(file.sha256))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw cause
    return new BundleRejection(
      'YAML_ENCODING',
      'the manifest is not UTF-8 text',
      place,
      'save it as UTF-8',
    ).issue
  }
}

/** Null where the manifest names no proto of the bundle, which its own validation reports. */
async function compileProtos(
  manifestText: string,
  byPath: ReadonlyMap<string, BundleFile>,
  contents: ContentStore,
  limits: BundleLimits,
): Promise<ProtoClosure | null> {
  const entry = readEntrypointProto(manifestText)
  if (entry === null || !byPath.has(entry)) return null
  const fileAt = (path: string): BundleFile => {
    const file = byPath.get(path)
    if (file === undefined)
      throw new BundleRejection('PROTO_IMPORT', `${path} is not in the bundle`)
    return file
  }
  return compileClosure(
    entry,
    {
      has: (path) => byPath.has(path),
      sizeOf: (path) => fileAt(path).size,
      read: (path) => contents.read(fileAt(path).sha256),
    },
    limits,
  )
}

async function modelsOf(
  manifestText: string,
  { descriptorSet }: Extract<ProtoClosure, { ok: true }>,
  byPath: ReadonlyMap<string, BundleFile>,
  contents: ContentStore,
  limits: BundleLimits,
): Promise<ModelFacts> {
  const sources = filesAt(mentionedSources(manifestText), byPath)
  return readModels(sources, contents, descriptorSet, limits)
}

function sourcesOf({ workflows }: KrtManifest): string[] {
  return workflows.flatMap(({ nodes }) => nodes.map(({ src }) => src))
}

/** A manifest that is refused names sources all the same; their errors belong into the same answer. */
function mentionedSources(text: string): string[] {
  return [...text.matchAll(/\bsrc\s*:\s*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"',#{}[\]]+))/g)].map(
    ([, double, single, plain]) => (double ?? single ?? plain ?? '').replace(/^\.\//, ''),
  )
}

function filesAt(paths: readonly string[], byPath: ReadonlyMap<string, BundleFile>): BundleFile[] {
  return [...new Set(paths)].flatMap((path) => byPath.get(path) ?? [])
}

async function checkDashboards(
  files: readonly BundleFile[],
  contents: ContentStore,
  limits: BundleLimits,
): Promise<KrtIssue[]> {
  const issues: KrtIssue[] = []
  let bytes = 0
  for (const { path, size, sha256 } of files.filter((file) => DASHBOARD.test(file.path))) {
    bytes += size
    if (bytes > limits.dashboardsTotalBytesMax || issues.length >= DASHBOARD_ISSUES_MAX) {
      const message = 'further dashboards were not checked: together they are too large, or wrong'
      return [...issues, warningIssue('DASHBOARD_INVALID', message, { file: path })]
    }
    const problem =
      size > limits.dashboardBytesMax
        ? `has ${size} bytes, allowed are ${limits.dashboardBytesMax}`
        : jsonProblem((await contents.read(sha256)).toString('utf8'))
    if (problem !== null)
      issues.push(
        warningIssue('DASHBOARD_INVALID', `dashboard ${printable(path)} ${problem}`, {
          file: path,
        }),
      )
  }
  return issues
}

function jsonProblem(text: string): string | null {
  try {
    JSON.parse(text)
    return null
  } catch (cause) {
    return `is not JSON (${printable(cause instanceof Error ? cause.message : String(cause))})`
  }
}
