/** A model in memory, run in a thread of its own, one run after the other. */
import { Worker } from 'node:worker_threads'
import { KreError } from '@kre/contracts/runtime'
import { TENSOR_TYPES, type ModelSignature, type TensorType } from '@kre/contracts/model'
import type { Tensors } from './tensor.ts'

export type SessionSettings = {
  /** Absolute. */
  readonly modelPath: string
  /** That one run may use. */
  readonly threads: number
}

/** First message of the thread: ONNX Runtime's description of the model. */
export type SessionUp = {
  readonly inputs: readonly ValueMetadata[]
  readonly outputs: readonly ValueMetadata[]
}
type ValueMetadata = {
  readonly name: string
  readonly isTensor: boolean
  readonly type?: string
  readonly shape?: readonly (number | string)[]
}
export type RunRequest = { readonly inputs: Tensors; readonly outputs: readonly string[] }
export type RunAnswer = { readonly tensors: Tensors } | { readonly problem: string }

export type ModelSession = {
  readonly signature: ModelSignature
  /** A run is under way: the next one has to wait for it. */
  readonly isBusy: boolean
  /**
   * Computes the named outputs. The arrays of the inputs are gone afterwards.
   *
   * @throws KreError `invalid-argument` with the model's words when it does not take these inputs.
   */
  run(inputs: Tensors, outputs: readonly string[]): Promise<Tensors>
  close(): Promise<void>
}

/** Young objects of the thread are messages: they live for one run. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 2, stackSizeMb: 4 }

/**
 * @param onLost told when the thread ends by itself.
 * @throws KreError `failed-precondition` when the model can't be loaded.
 */
export async function openModelSession(
  settings: SessionSettings,
  onLost: (why: string) => void,
): Promise<ModelSession> {
  const thread = new Worker(new URL('session-thread.ts', import.meta.url), {
    workerData: settings,
    env: {},
    resourceLimits: THREAD_LIMITS,
  })
  let waiting: PromiseWithResolvers<Tensors> | null = null
  let isClosing = false
  const up = await new Promise<SessionUp>((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', (error) => reject(unusable(error)))
    thread.once('exit', (code) => reject(unusable(new Error(`its thread ended with ${code}`))))
  })
  for (const event of ['error', 'exit']) thread.removeAllListeners(event)
  thread.on('message', (answer: RunAnswer) => {
    const run = waiting
    waiting = null
    if (run === null) return
    if ('tensors' in answer) run.resolve(answer.tensors)
    else run.reject(new KreError('invalid-argument', `the model refuses: ${answer.problem}`))
  })
  const lost = (why: string) => {
    if (!isClosing) onLost(`the thread of the model ended: ${why}`)
    isClosing = true
    waiting?.reject(new KreError('internal', 'the thread of the model ended'))
  }
  thread.on('error', (error) => lost(error.message))
  thread.on('exit', (code) => lost(`exit code ${code}`))

  return {
    signature: signatureOf(up),
    get isBusy() {
      return waiting !== null
    },
    run(inputs, outputs) {
      if (waiting !== null) throw new KreError('internal', 'the model is busy')
      waiting = Promise.withResolvers<Tensors>()
      const transfer = Object.values(inputs).flatMap(({ data }) =>
        Array.isArray(data) ? [] : [data.buffer as ArrayBuffer],
      )
      const request: RunRequest = { inputs, outputs }
      thread.postMessage(request, [...new Set(transfer)])
      return waiting.promise
    },
    async close() {
      isClosing = true
      await thread.terminate()
    },
  }
}

function signatureOf({ inputs, outputs }: SessionUp): ModelSignature {
  const tensors = (values: SessionUp['inputs']) =>
    values.map(({ name, isTensor, type, shape }) => ({
      name,
      type: isTensor && isTensorType(type) ? type : null,
      // Sizes without a meaning of old exporters are sizes that may change.
      shape: (shape ?? []).map((size) => (size === 0 || size === undefined ? '' : size)),
    }))
  return { inputs: tensors(inputs), outputs: tensors(outputs) }
}

function isTensorType(type: string | undefined): type is TensorType {
  return (TENSOR_TYPES as readonly (string | undefined)[]).includes(type)
}

function unusable(error: Error): KreError {
  const text = error.message.replaceAll(/\s+/g, ' ').slice(0, 500)
  return new KreError(
    'failed-precondition',
    `the model can't be loaded: ${text}`,
    {},
    { cause: error },
  )
}
