/** The entrypoint: its proto and image, and whether rpcs and workflows fit each other. */
import { findPathFault, findSimilarFile, normalisePath } from './bundle-path.ts'
import type { KrtManifest } from './graph.ts'
import { checkImage } from './image.ts'
import type { Report } from './issue-collector.ts'
import { suggestName } from './nearest-name.ts'
import type { NodeContext } from './normalise-node.ts'
import type { CommonDraft, SequentialDraft, WorkflowDraft } from './schema.ts'

/** The compiled `service Entrypoint` of a bundle. */
export type EntrypointService = {
  /** Full name, for example `digits.Entrypoint`. */
  name: string
  methods: readonly EntrypointRpc[]
}
export type EntrypointRpc = {
  rpc: string
  /** Full names without a leading dot; empty when the type is not defined. */
  requestType: string
  responseType: string
  clientStreaming: boolean
  serverStreaming: boolean
}

const RPC_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export function checkEntrypoint(
  draft: CommonDraft['entrypoint'],
  { files, images, report }: NodeContext,
): KrtManifest['entrypoint'] {
  const { proto, image } = draft ?? {}
  if (proto !== undefined) checkProtoPath(proto, files, report)
  if (image !== undefined) {
    const place = { path: ['entrypoint', 'image'], subject: 'entrypoint: ', rules: images }
    checkImage(image, null, place, report)
  }
  return { proto: normalisePath(proto ?? ''), image: image ?? '' }
}

function checkProtoPath(
  written: string,
  files: ReadonlySet<string> | undefined,
  report: Report,
): void {
  const path = ['entrypoint', 'proto']
  const proto = normalisePath(written)
  const shown = `entrypoint: proto "${proto.slice(0, 240)}"`
  const fault =
    findPathFault(written) ?? (proto.endsWith('.proto') ? null : 'does not end in .proto')
  if (fault !== null) report.add({ code: 'PATH_INVALID', path, message: `${shown} ${fault}` })
  else if (files !== undefined && !files.has(proto)) {
    const similar = findSimilarFile(proto, files)
    const hint =
      similar === null ? 'add the file, or correct the path' : `did you mean "${similar}"?`
    report.add({
      code: 'PROTO_MISSING',
      path,
      message: `${shown} is missing from the bundle`,
      hint,
    })
  }
}

/** @param service undefined or null = not compiled, so only the form of the names is checked. */
export function checkRpcs(
  workflows: readonly (WorkflowDraft | SequentialDraft | undefined)[],
  service: EntrypointService | null | undefined,
  report: Report,
): void {
  for (const [i, workflow] of workflows.entries()) {
    const rpc = workflow?.entrypoint
    if (workflow === undefined || rpc === undefined) continue
    checkRpc(rpc, workflow.name ?? String(i + 1), ['workflows', i, 'entrypoint'], service, report)
  }
  if (service === undefined || service === null) return
  const used = new Set(workflows.map((workflow) => workflow?.entrypoint))
  const path = ['entrypoint', 'proto']
  for (const method of service.methods) {
    if (!used.has(method.rpc)) {
      const message = `rpc "${method.rpc}" of ${service.name} feeds no workflow and will answer UNIMPLEMENTED`
      const hint = `add a workflow with entrypoint: ${method.rpc}, or remove the rpc`
      report.add({ code: 'RPC_UNUSED', path, message, hint })
    }
    for (const [role, type] of [
      ['request', method.requestType],
      ['response', method.responseType],
    ]) {
      if (type !== '') continue
      const message = `the ${role} type of rpc "${method.rpc}" is not defined in the protos of the bundle`
      report.add({
        code: 'PROTO_TYPE',
        path,
        message,
        hint: 'define the message, or import its file',
      })
    }
  }
}

function checkRpc(
  rpc: string,
  workflow: string,
  path: readonly (string | number)[],
  service: EntrypointService | null | undefined,
  report: Report,
): void {
  const subject = `workflow "${workflow.slice(0, 60)}": `
  const shown = `"${rpc.slice(0, 60)}"`
  if (!RPC_NAME.test(rpc)) {
    const message = `${subject}its entrypoint ${shown} is no legal name of an rpc`
    report.add({
      code: 'RPC_UNKNOWN',
      path,
      message,
      hint: 'write the name of an rpc of service Entrypoint',
    })
    return
  }
  if (service === undefined || service === null) return
  const names = service.methods.map((method) => method.rpc)
  const method = service.methods.find((candidate) => candidate.rpc === rpc)
  if (method === undefined) {
    const message = `${subject}its entrypoint ${shown} is no rpc of ${service.name}`
    const otherwise = names.length === 0 ? 'the service has no rpcs' : `it has ${names.join(', ')}`
    report.add({ code: 'RPC_UNKNOWN', path, message, ...suggestName(rpc, names, otherwise) })
  } else if (method.clientStreaming) {
    const kind = method.serverStreaming ? 'a bidirectional' : 'a client'
    const message = `${subject}its entrypoint ${shown} is ${kind} streaming rpc`
    const hint =
      'remove "stream" from the rpc\'s request: a workflow takes one message; its answer may be a stream'
    report.add({ code: 'RPC_STREAMING', path, message, hint })
  }
}
