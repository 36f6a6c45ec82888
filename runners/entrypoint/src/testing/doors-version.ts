/** A version whose messages the doors know: doors.proto, with nodes that answer what they are asked. */
import type { VersionInterface } from '@kre/contracts'
import type { TestNats } from '@kre/service-kit/testing'
import { DIGEST, RUNTIME } from './demo-version.ts'
import { DOORS_DESCRIPTORS } from './doors-descriptors.ts'
import { openScene, type Scene } from './scene.ts'

export const EVERYTHING = '/doors.Entrypoint/Everything'
export const TENSORS = '/doors.Entrypoint/Tensors'

/** An answer's type, for nodes that answer by hand. */
export const ALL_URL = 'type.googleapis.com/doors.All'
const TENSORS_URL = 'type.googleapis.com/doors.TensorSet'

function doorsInterface(): Partial<VersionInterface> {
  const method = (rpc: string, type: string, workflow: string | null) => ({
    path: `/doors.Entrypoint/${rpc}`,
    rpc,
    requestType: `doors.${type}`,
    responseType: `doors.${type}`,
    workflow,
  })
  return {
    runtimeId: RUNTIME,
    bundleDigest: DIGEST,
    methods: [
      method('Everything', 'All', 'everything'),
      method('Tensors', 'TensorSet', 'tensors'),
      method('Unused', 'TensorSet', null),
    ],
    workflows: [
      { id: 'everything', timeoutMs: null, nodes: ['all'] },
      { id: 'tensors', timeoutMs: null, nodes: ['tensor'] },
    ],
    descriptorSet: DOORS_DESCRIPTORS,
  }
}

export type DoorsScene = Scene & {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly all: ReturnType<Scene['startNode']>
  readonly tensors: ReturnType<Scene['startNode']>
}

/** Both workflows echo, unless told otherwise. */
export async function openDoors(
  server: TestNats,
  options: Pick<NonNullable<Parameters<typeof openScene>[1]>, 'launch' | 'limits'> & {
    all?: Parameters<Scene['startNode']>[0]
  } = {},
): Promise<DoorsScene> {
  const scene = await openScene(server, { ...options, served: doorsInterface() })
  const all = scene.startNode({
    workflow: 'everything',
    node: 'all',
    handler: (request) => ({ value: request.value, typeUrl: ALL_URL }),
    ...options.all,
  })
  const tensors = scene.startNode({
    workflow: 'tensors',
    node: 'tensor',
    handler: (request) => ({ value: request.value, typeUrl: TENSORS_URL }),
  })
  return { ...scene, url: `http://${scene.entrypoint.address}`, all, tensors }
}
