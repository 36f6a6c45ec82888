/** What the gRPC and the REST form of the Open Inference Protocol v2 have in common beside inference. */
import { readFileSync } from 'node:fs'
import { KreError } from '@kre/contracts/runtime'
import type { Failure } from '../../grpc/failure.ts'
import type { RequestBroker } from '../../requests/request-broker.ts'
import type { ServedVersion } from '../../versions/served-version.ts'
import { findModel, isModelReady, type Model, modelsOf, type Side } from './model.ts'
import { describeStatistics, type StatisticsDescription, statisticsOf } from './model-statistics.ts'

export type OipDeps = {
  readonly broker: RequestBroker
  readonly payloadBytesMax: number
  readonly current: () => ServedVersion | null
  /** Connected to NATS and not stopping. */
  readonly isUp: () => boolean
  readonly withoutVersion: () => Failure
  /** A request ended before it was one. */
  readonly onRefused: (reason: string) => void
}

const EXTENSIONS = [
  'binary_tensor_data',
  'model_repository',
  'model_configuration',
  'parameters',
  'generate',
]

export const NO_LOADING =
  'models are not loaded or unloaded here: a version of a runtime is started, stopped and published, see krectl version'

export function describeServer({ current }: OipDeps): {
  name: string
  version: string
  extensions: string[]
} {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  // perf_analyzer asks for statistics where they are announced, reads versions in them as numbers, and dies of others.
  const hasNumber = /^\d/.test(current()?.ref.version ?? '')
  return {
    name: 'kre',
    version,
    extensions: hasNumber ? [...EXTENSIONS, 'statistics'] : EXTENSIONS,
  }
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

/**
 * @param name empty = all models.
 * @throws KreError `not-found`.
 */
export function modelStatistics(
  version: ServedVersion,
  name: string,
  wanted: string,
): StatisticsDescription[] {
  const { runtimeId, version: current } = version.ref
  const named: [string, Model][] =
    name === ''
      ? modelsOf(version).map((model) => [`${runtimeId}.${model.method.served.workflow.id}`, model])
      : [[name, findModel(version, name, wanted)]]
  return named.map(([each, model]) => describeStatistics(each, current, statisticsOf(model)))
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
