import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ENTRYPOINT, KreError, type NodeLaunch } from '@kre/contracts/runtime'
import {
  planTensors,
  readMessageCatalog,
  type ModelSignature,
  type TensorPlan,
} from '@kre/contracts/model'
import { EXIT } from '../exit-codes.ts'
import type { Runtime, RuntimeDeps } from '../runtime.ts'
import { openModelSession } from './model-session.ts'
import { createOnnxHost } from './onnx-host.ts'
import { createTensorCodec } from './tensor-codec.ts'

/** A run that goes on for so long after its last caller has gone will hardly end. */
const STUCK_AFTER_MS = 60_000

/**
 * Loads the model of a node that has no code.
 *
 * @throws KreError `failed-precondition` when it can't be loaded, or does not fit the node's messages.
 */
export async function openOnnxRuntime(deps: RuntimeDeps): Promise<Runtime> {
  const { launch, dispatcher, onFatal } = deps
  deps.onStage('load')
  const session = await openModelSession(
    { modelPath: resolve(launch.basePath, launch.src), threads: launch.model?.threads ?? 1 },
    (why) => onFatal(why, EXIT.software),
  )
  try {
    const plan = planOf(launch, session.signature)
    const model = { plan, codec: createTensorCodec(plan), session }
    const host = createOnnxHost(launch, model, dispatcher, {
      afterMs: STUCK_AFTER_MS,
      onStuck: () =>
        onFatal(
          `the model still runs ${STUCK_AFTER_MS / 1000} s after nobody waits for it`,
          EXIT.software,
        ),
    })
    return {
      host,
      handlesErrors: false,
      hasCurrentCall: () => false,
      flush() {},
      close: () => session.close(),
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

/** The check of the upload, against the model as it was loaded. */
function planOf(launch: NodeLaunch, signature: ModelSignature): TensorPlan {
  const result = planTensors({
    signature,
    catalog: readMessageCatalog(readFileSync(launch.descriptorSetPath)),
    mapping: launch.model?.tensors ?? { input: null, output: null, inputs: {}, outputs: {} },
    requestType: launch.subscriptions.some(({ from }) => from === ENTRYPOINT)
      ? launch.requestType
      : null,
    responseType: launch.isExitpoint ? launch.responseType : null,
  })
  if (result.ok) return result.plan
  const problems = result.problems.map(({ message, hint }) =>
    hint === undefined || hint === '' ? message : `${message} (${hint})`,
  )
  throw new KreError('failed-precondition', `${launch.src}: ${problems.join('; ')}`)
}
