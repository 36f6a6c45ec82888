/** The thread that runs a node's model: ONNX Runtime blocks the thread that calls it until it has finished. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Tensor as OrtResult } from 'onnxruntime-node'
import type { Tensor } from './tensor.ts'
import type { RunAnswer, RunRequest, SessionSettings, SessionUp } from './model-session.ts'

const { modelPath, threads } = workerData as SessionSettings
const port = parentPort
if (port === null) throw new Error('session-thread.ts runs as a worker thread only')

// Where the language has such an array the package hands it to native code that does not know it, and halves are lost.
Reflect.deleteProperty(globalThis, 'Float16Array')
const { InferenceSession, Tensor: OrtTensor } = await import('onnxruntime-node')

const session = await InferenceSession.create(modelPath, {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
})
const up: SessionUp = { inputs: [...session.inputMetadata], outputs: [...session.outputMetadata] }
port.postMessage(up)
port.on('message', (request: RunRequest) => {
  void run(request).then(({ answer, transfer }) => port.postMessage(answer, transfer))
})

async function run({
  inputs,
  outputs,
}: RunRequest): Promise<{ answer: RunAnswer; transfer: ArrayBuffer[] }> {
  try {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { type, data, shape }]) => [
        name,
        new OrtTensor(type, data, shape),
      ]),
    )
    const results = await session.run(feeds, [...outputs])
    const tensors: Record<string, Tensor> = {}
    const transfer: ArrayBuffer[] = []
    for (const name of outputs) {
      const result = results[name]
      if (result === undefined) continue
      const { type, dims } = result
      tensors[name] = { type: type as Tensor['type'], data: ownData(result, transfer), shape: dims }
      result.dispose()
    }
    return { answer: { tensors }, transfer }
  } catch (error) {
    return {
      answer: { problem: error instanceof Error ? error.message : String(error) },
      transfer: [],
    }
  }
}

/** A copy that goes to the other thread; the memory of the result is the runtime's. */
function ownData(result: OrtResult, transfer: ArrayBuffer[]): Tensor['data'] {
  const { data } = result
  if (Array.isArray(data)) return data as string[]
  const copy = (data as Float32Array).slice()
  transfer.push(copy.buffer)
  return copy
}
