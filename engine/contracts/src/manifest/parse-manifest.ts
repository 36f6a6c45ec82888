import { checkConfig } from './check-config.ts'
import { checkEntrypoint, checkRpcs, type EntrypointService } from './check-entrypoint.ts'
import { checkModels, type ModelFacts } from './check-models.ts'
import { checkShape } from './check-shape.ts'
import { readGeneration } from './generation.ts'
import { readGraphWorkflow } from './graph-workflow.ts'
import type { KrtManifest } from './graph.ts'
import type { ImageRules } from './image.ts'
import type { KrtIssue } from './issue.ts'
import type { IssueCollector, Report } from './issue-collector.ts'
import { DESCRIPTION_CHARS_MAX } from './limits.ts'
import type { NodeContext } from './normalise-node.ts'
import { reportUnsupportedOfManifest } from './not-supported.ts'
import { readWorkflows } from './read-workflows.ts'
import { ManifestV1, ManifestV2, type CommonDraft } from './schema.ts'
import { readSequence, readSharedNodes, reportUnusedNodes } from './sequential.ts'
import { checkName } from './slug.ts'
import { readYaml } from './yaml-reader.ts'

/** What is known besides the manifest's text; what is absent is not checked. */
export type ManifestContext = {
  /** Name of the file, for issues: `kre.yaml`. */
  file: string
  /** Paths of the regular files of the bundle. */
  files?: ReadonlySet<string>
  /** Null where the proto could not be compiled (which is reported by whoever tried). */
  service?: EntrypointService | null
  /** Null where the protos could not be compiled. */
  models?: ModelFacts | null
  /** Every unknown key is an error. */
  strict?: boolean
  images?: ImageRules
}

/** Issues are in the order of their positions; those of an accepted manifest are warnings and infos. */
export type ManifestResult =
  | { ok: true; manifest: KrtManifest; issues: KrtIssue[] }
  | {
      ok: false
      issues: KrtIssue[]
      /** Id of the version, where it can be read. */
      manifestVersion?: string
    }

/**
 * Reads a manifest of either generation into the one internal form.
 *
 * All issues are reported together: only text that is no YAML, or no map, ends the reading early.
 * Pure, and linear in the size of the text: made for manifests from strangers.
 */
export function parseManifest(text: string, context: ManifestContext): ManifestResult {
  const { document, issues } = readYaml(text, context.file)
  if (document === null) return { ok: false, issues: issues.list() }
  const root = document.value
  if (!isMap(root)) {
    const message =
      root === undefined ? 'the manifest is empty' : 'the manifest must be a map of fields'
    const code = root === undefined ? 'FIELD_REQUIRED' : 'FIELD_TYPE'
    if (!document.refused.has(''))
      issues.add({ code, path: [], message, hint: 'begin with version, description, entrypoint' })
    return { ok: false, issues: issues.list() }
  }
  const generation = readGeneration(root, issues)
  // Judged above; the schemas would only say the same again.
  delete root['krtVersion']
  const shape = { document, generation, strict: context.strict ?? false, report: issues }
  const nodeContext = { files: context.files, images: context.images ?? {}, report: issues }
  const { draft, workflows } =
    generation === 'v1'
      ? readSequential(checkShape(ManifestV1, root, shape), nodeContext)
      : readGraphs(checkShape(ManifestV2, root, shape), nodeContext)
  checkRpcs(draft.workflows ?? [], context.service, issues)
  const { models, service } = context
  if (models && service)
    checkModels(workflows, draft, { models, service, images: nodeContext.images }, issues)
  const manifest = { krtVersion: generation, ...readCommon(draft, nodeContext), workflows }
  return toResult(manifest, issues)
}

function readSequential(
  draft: ReturnType<typeof checkShape<typeof ManifestV1>>,
  context: NodeContext,
) {
  const shared = readSharedNodes(draft.nodes, context)
  const { report } = context
  const workflows = readWorkflows(
    draft.workflows,
    (workflow, head) => readSequence(workflow, shared, head, report),
    report,
  )
  // Without workflows every node is unused, which the missing field says already.
  if (workflows.length > 0) reportUnusedNodes(shared, report)
  return { draft, workflows }
}

function readGraphs(draft: ReturnType<typeof checkShape<typeof ManifestV2>>, context: NodeContext) {
  const workflows = readWorkflows(
    draft.workflows,
    (workflow, head) => readGraphWorkflow(workflow, head, context),
    context.report,
  )
  return { draft, workflows }
}

function readCommon(
  draft: CommonDraft,
  context: NodeContext,
): Omit<KrtManifest, 'krtVersion' | 'workflows'> {
  const { report } = context
  const version = checkName(draft.version, 'version', ['version'], report)
  checkDescription(draft.description, report)
  reportUnsupportedOfManifest(draft, report)
  return {
    version: version ?? '',
    versionName: draft.version ?? '',
    description: draft.description ?? '',
    entrypoint: checkEntrypoint(draft.entrypoint, context),
    config: checkConfig(draft.config, report),
  }
}

function checkDescription(description: string | undefined, report: Report): void {
  const length = description?.length ?? 0
  if (length <= DESCRIPTION_CHARS_MAX) return
  const message = `the description has ${length} characters, ${DESCRIPTION_CHARS_MAX} are allowed`
  const hint = 'move the rest to docs/README.md'
  report.add({ code: 'LIMIT_EXCEEDED', path: ['description'], message, hint })
}

function toResult(manifest: KrtManifest, collector: IssueCollector): ManifestResult {
  const issues = collector.list()
  if (!issues.some((issue) => issue.level === 'error')) return { ok: true, manifest, issues }
  const { version } = manifest
  return { ok: false, issues, ...(version === '' ? {} : { manifestVersion: version }) }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
