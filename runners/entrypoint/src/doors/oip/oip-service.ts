/** What the gRPC and the REST form of the Open Inference Protocol v2 have in common beside inference. */
import { readFileSync } from 'node:fs'
import { KreError } from '@kre/contracts/runtime'
import type { Failure } from '../../grpc/failure.ts'
import type { RequestBroker } from '../../requests/request-broker.ts'
import type { ServedVersion } from '../../versions/served-version.ts'
import { isModelReady, type Model, modelsOf, type Side } from './model.ts'

export type OipDeps = {
  readonly broker: RequestBroker
  readonly payloadBytesMax: number
  readonly current: () => ServedVersion | null
  /** Connected to NATS and not stopping. */
  readonly isUp: () => boolean
  readonly withoutVersion: () => Failure
  /** A request ended before it was one. */
  readonly onRefused: () => void
}

export const PLATFORM = 'kre'
const EXTENSIONS = ['binary_tensor_data', 'model_repository']

export function describeServer(): { name: string; version: string; extensions: string[] } {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return { name: 'kre', version, extensions: EXTENSIONS }
}

/** @throws KreError `unavailable` that says why there is none. */
export function versionInForce(deps: OipDeps): ServedVersion {
  const version = deps.current()
  if (version === null) throw new KreError('unavailable', deps.withoutVersion().message)
  return version
}

/** Whether requests can be taken: the version is known, and NATS there. */
export function isServerReady(deps: OipDeps): boolean {
  return deps.isUp() && deps.current() !== null
}

export function isReady(deps: OipDeps, model: Model): boolean {
  return deps.isUp() && isModelReady(model)
}

export type ModelState = { name: string; version: string; state: string; reason: string }

export function repositoryIndex(deps: OipDeps, readyOnly: boolean): ModelState[] {
  const version = deps.current()
  if (version === null) return []
  return modelsOf(version)
    .map((model) => {
      const { id, missing } = model.method.served.workflow
      const ready = isReady(deps, model)
      return {
        name: `${version.ref.runtimeId}.${id}`,
        version: version.ref.version,
        state: ready ? 'READY' : 'UNAVAILABLE',
        reason: ready
          ? ''
          : missing.length > 0
            ? `no ready replica of ${missing.join(', ')}`
            : 'not connected to NATS',
      }
    })
    .filter(({ state }) => !readyOnly || state === 'READY')
}

export type ModelDescription = {
  readonly versions: string[]
  readonly inputs: readonly TensorDescription[]
  readonly outputs: readonly TensorDescription[]
  readonly properties: Record<string, string>
}
type TensorDescription = { name: string; datatype: string; shape: readonly number[] }

export function describeModel({ method, inputs, outputs }: Model): ModelDescription {
  const { served } = method
  return {
    versions: [served.version.ref.version],
    inputs: describeSide(inputs),
    outputs: describeSide(outputs),
    properties: {
      runtime: served.version.ref.runtimeId,
      workflow: served.workflow.id,
      rpc: served.path,
      request_type: method.input.typeName,
      response_type: method.output.typeName,
    },
  }
}

function describeSide({ specs }: Side): TensorDescription[] {
  return specs.map(({ name, datatype, shape }) => ({ name, datatype: datatype.name, shape }))
}
