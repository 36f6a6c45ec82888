/** A version with a workflow that answers with a stream, and one that does not. */
import { emptyEnvelope, encodeEnvelope, type Envelope, MESSAGE_TYPE } from '@kre/contracts'
import type { TestNats } from '@kre/service-kit/testing'
import { DOORS_DESCRIPTORS } from '../../../testing/doors-descriptors.ts'
import { openScene, type Scene } from '../../../testing/scene.ts'

export type DecoupledScene = Scene & {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** Answers of the next streams: `part` echoes, `fail` fails, `malformed` is no message. */
  script: readonly ('part' | 'fail' | 'malformed')[]
  /** Requests that the streaming workflow's node has got. */
  readonly requests: readonly Envelope[]
}

const RESPONSE_URL = 'type.googleapis.com/doors.TensorSet'

export async function openDecoupled(nats: TestNats): Promise<DecoupledScene> {
  const method = (rpc: string, workflow: string, serverStreaming: boolean) => ({
    path: `/doors.Entrypoint/${rpc}`,
    rpc,
    requestType: 'doors.TensorSet',
    responseType: 'doors.TensorSet',
    workflow,
    serverStreaming,
  })
  const scene = await openScene(nats, {
    served: {
      methods: [method('Tensors', 'tensors', true), method('Unused', 'single', false)],
      workflows: [
        { id: 'tensors', timeoutMs: null, nodes: ['streamer'] },
        { id: 'single', timeoutMs: null, nodes: ['echo'] },
      ],
      descriptorSet: DOORS_DESCRIPTORS,
    },
  })
  const streamer = scene.startNode({
    workflow: 'tensors',
    node: 'streamer',
    handler(request) {
      stream(request)
      return null
    },
  })
  scene.startNode({
    workflow: 'single',
    node: 'echo',
    handler: (request) => ({ value: request.value, typeUrl: RESPONSE_URL }),
  })
  const stream = (request: Envelope) => {
    let sequence = 0
    const send = (more: Partial<Envelope>) => {
      const head = { requestId: request.requestId, fromNode: 'streamer', typeUrl: RESPONSE_URL }
      const message = encodeEnvelope({ ...emptyEnvelope(), ...head, ...more })
      scene.nats.publish(request.replyTo, message, { reply: 'credit.of.a.test' })
    }
    for (const step of opened.script) {
      if (step === 'fail')
        return send({ messageType: MESSAGE_TYPE.error, statusCode: 9, error: 'no more' })
      const value = step === 'part' ? request.value : Buffer.of(255)
      send({ messageType: MESSAGE_TYPE.frame, sequence: ++sequence, value })
    }
    send({ messageType: MESSAGE_TYPE.end, sequence })
  }
  const opened: DecoupledScene = {
    ...scene,
    url: `http://${scene.entrypoint.address}`,
    script: [],
    requests: streamer.requests,
  }
  return opened
}
