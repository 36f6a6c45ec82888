/** Runs a model for each message, or for several at once. */
import { ENTRYPOINT, KreError, toKreError, type NodeLaunch } from '@kre/contracts/runtime'
import type { TensorPlan } from '@kre/contracts/model'
import type { Dispatcher } from '../calls/dispatcher.ts'
import type { HandlerHost } from '../calls/handler-host.ts'
import type { NodeCall } from '../calls/node-call.ts'
import type { ModelSession } from './model-session.ts'
import { canStack, groupStackable, rowsOf, splitTensors, stackTensors } from './stack-tensors.ts'
import type { ModelInput, TensorCodec } from './tensor-codec.ts'
import type { Tensors } from './tensor.ts'

type Item = { readonly call: NodeCall; readonly input: ModelInput }

export type OnnxModel = {
  readonly plan: TensorPlan
  readonly codec: TensorCodec
  readonly session: ModelSession
}

const TYPE_PREFIX = 'type.googleapis.com/'

/**
 * @param onStuck told when a run goes on for so long after nobody waits for it that the node is of no use.
 */
export function createOnnxHost(
  launch: NodeLaunch,
  { plan, codec, session }: OnnxModel,
  dispatcher: Pick<Dispatcher, 'done' | 'failed'>,
  stuck: { afterMs: number; onStuck: () => void },
): HandlerHost {
  const names = plan.outputs.map(({ name }) => name)
  const typeUrl = TYPE_PREFIX + plan.outputType
  const isStackable = canStack(plan)
  /** Each list is one run. */
  const waiting: Item[][] = []
  let current: readonly Item[] = []
  let stuckTimer: NodeJS.Timeout | undefined

  const accept = (call: NodeCall): Item[] => {
    try {
      return [{ call, input: codec.decode(payloadOf(call, plan.inputType)) }]
    } catch (error) {
      fail(call, error)
      return []
    }
  }
  const fail = (call: NodeCall, error: unknown) => {
    const { code, message, stack } = toKreError(error)
    dispatcher.failed(call, { text: message, stack: stack ?? message, code, retryAfterMs: null })
  }
  const answer = async ({ call, input }: Item, outputs: Tensors) => {
    try {
      await call.output('ok', '', { typeUrl, value: codec.encode(input, outputs) }, '')
      dispatcher.done(call)
    } catch (error) {
      fail(call, error)
    }
  }
  const runNext = () => {
    while (!session.isBusy) {
      const items = waiting.shift()?.filter(({ call }) => !call.isOver)
      if (items === undefined) return
      if (items.length > 0) void run(items)
    }
  }
  const run = async (items: readonly Item[]) => {
    current = items
    const tensors = items.map(({ input }) => input.tensors)
    const rows = tensors.map((item) => rowsOf(item) ?? 1)
    try {
      const outputs = await session.run(stackTensors(tensors), names)
      const split = items.length === 1 ? [outputs] : splitTensors(outputs, rows)
      for (const [i, item] of items.entries()) void answer(item, split[i] ?? {})
    } catch (error) {
      // What is wrong with one message must not touch the others: each once more by itself.
      if (items.length > 1) waiting.unshift(...items.map((item) => [item]))
      else for (const { call } of items) fail(call, error)
    } finally {
      current = []
      clearTimeout(stuckTimer)
    }
    runNext()
  }

  return {
    takesAhead: false,
    run(call) {
      const items = accept(call)
      if (items.length === 0) return
      waiting.push(items)
      runNext()
    },
    runBatch(calls) {
      const items = calls.flatMap(accept)
      const groups = isStackable
        ? groupStackable(items.map(({ input }) => input.tensors))
        : items.map((_, i) => [i])
      waiting.push(...groups.map((group) => group.flatMap((i) => items[i] ?? [])))
      runNext()
    },
    abandon() {
      if (current.length === 0 || !current.every(({ call }) => call.isOver)) return
      clearTimeout(stuckTimer)
      stuckTimer = setTimeout(stuck.onStuck, stuck.afterMs).unref()
    },
  }

  function payloadOf({ envelope, fromNode }: NodeCall, expected: string): Uint8Array {
    const name = envelope.typeUrl.slice(envelope.typeUrl.lastIndexOf('/') + 1)
    if (name === expected) return envelope.value
    throw new KreError(
      fromNode === ENTRYPOINT ? 'invalid-argument' : 'internal',
      `model node '${launch.nodeName}' reads ${expected}, and '${fromNode}' sent ${name === '' ? 'a message without a type' : name}`,
    )
  }
}
