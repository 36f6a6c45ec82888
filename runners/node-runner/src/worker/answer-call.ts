/** What a worker asks of its runner: the services of `ctx`, and messages of a streamed answer. */
import { GRPC_STATUS, toKreError } from '@kre/contracts/runtime'
import type { CallPort } from '@kre/sdk'
import type { FrameChannel, WorkerFrame } from '@kre/wire'
import type { DataServices, ServiceCaller } from '../services/data-services.ts'

const NO_DATA = new Uint8Array(0)

/** @param channel of the worker that asks: an answer must not reach the next one, which knows nothing of the question. */
export async function answerCall(
  frame: WorkerFrame<'call'>,
  caller: CallPort & ServiceCaller,
  services: DataServices,
  channel: FrameChannel,
): Promise<void> {
  const { id } = frame
  const empty = {
    kind: 'callResult',
    id,
    error: '',
    result: '',
    data: NO_DATA,
    statusCode: 0,
  } as const
  try {
    const { result, data } = await answerOf(frame, caller, services)
    channel.send({ ...empty, result: JSON.stringify(result), data })
  } catch (error) {
    const { code, message } = toKreError(error)
    channel.send({ ...empty, error: message, statusCode: GRPC_STATUS[code] })
  }
}

async function answerOf(
  { service, method, arguments: args, data }: WorkerFrame<'call'>,
  caller: CallPort & ServiceCaller,
  services: DataServices,
): Promise<{ result: unknown; data: Uint8Array }> {
  const parsed: unknown = JSON.parse(args === '' ? '{}' : args)
  if (service !== 'stream') return services(caller, service, method, parsed, data)
  // The worker waits for the result, and by it for the caller of the stream.
  const payload = { typeUrl: (parsed as { typeUrl: string }).typeUrl, value: data }
  if (method === 'write') await caller.write(payload)
  else await caller.output('ok', '', payload, '')
  return { result: null, data: NO_DATA }
}
