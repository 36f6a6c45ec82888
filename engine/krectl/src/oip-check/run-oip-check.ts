import { createClient } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { SECOND_MS } from '@kre/contracts'
import { GRPCInferenceService } from '@kre/contracts/oip'
import { type CheckResult, runChecks } from './check.ts'
import { extensionChecks } from './extension-checks.ts'
import { grpcChecks } from './grpc-checks.ts'
import { restChecks } from './rest-checks.ts'

/** A call that takes longer counts as failed. */
const CALL_TIMEOUT_MS = 30 * SECOND_MS

export type OipServer = {
  readonly rest: string
  readonly grpcAddress: string
  readonly model: string
}

/** All checks of a server, one after the other. @param onResult hears of each as it is done. */
export async function runOipCheck(
  { rest, grpcAddress, model }: OipServer,
  onResult: (result: CheckResult) => void,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const baseUrl = `http://${grpcAddress}`
  const sessionManager = new Http2SessionManager(baseUrl)
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    defaultTimeoutMs: CALL_TIMEOUT_MS,
  })
  const client = createClient(GRPCInferenceService, transport)
  try {
    return await runChecks(
      [
        ...grpcChecks(client, model),
        ...restChecks(rest, model, signal),
        ...extensionChecks(client, rest, model, signal),
      ],
      onResult,
    )
  } finally {
    sessionManager.abort() // the process would wait for it
  }
}
