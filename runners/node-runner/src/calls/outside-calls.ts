import { KreError, type NodeLaunch } from '@kre/contracts/runtime'
import type { CallPort } from '@kre/sdk'
import type { NodeLog } from '../outputs/node-log.ts'
import type { DataServices, ServiceCaller } from '../services/data-services.ts'

/** `ctx` outside of a message: there is nothing to answer, everything else works. */
export function outsideOfCalls(
  launch: NodeLaunch,
  services: DataServices,
  log: NodeLog,
): CallPort & ServiceCaller {
  let effects = 0
  const start = `${launch.versionId}/${launch.node}/${process.pid}-${Date.now()}`
  const outside: CallPort & ServiceCaller = {
    requestId: '',
    fromNode: '',
    kind: 'ok',
    payload: { typeUrl: '', value: new Uint8Array(0) },
    error: '',
    deadlineUnixMs: 0,
    deadlineAt: Infinity,
    attempt: 1,
    metadata: {},
    signal: new AbortController().signal,
    output: refuseToSend,
    write: refuseToSend,
    log: (level, text) => log.write(level, text, null),
    service: (service, method, args, data = new Uint8Array(0)) =>
      services({ ...outside, requestId: null }, service, method, args, data),
    effectId: () => `${start}/${effects++}`,
  }
  return outside
}

function refuseToSend(): never {
  throw new KreError(
    'failed-precondition',
    'nothing can be sent outside of a message, for example in init',
  )
}
