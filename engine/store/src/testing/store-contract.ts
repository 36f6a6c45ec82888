/** What every store does, whatever it is made of: run by each adapter's tests, in halves where it takes long. */
import { describe } from '@jest/globals'
import { auditContract } from './audit-contract.ts'
import { bundleContract } from './bundle-contract.ts'
import { controlContract } from './control-contract.ts'
import { heardTotalsContract } from './heard-totals-contract.ts'
import { identityContract } from './identity-contract.ts'
import { leaseContract } from './lease-contract.ts'
import { logContract } from './log-contract.ts'
import { logRetentionContract } from './log-retention-contract.ts'
import type { MakeStore } from './make-store.ts'
import { outputContract } from './output-contract.ts'
import { predictionContract } from './prediction-contract.ts'
import { requestContract } from './request-contract.ts'
import { sampleContract } from './sample-contract.ts'
import { trafficContract } from './traffic-contract.ts'
import { uploadContract } from './upload-contract.ts'

export function storeContract(name: string, makeStore: MakeStore): void {
  nodesContract(name, makeStore)
  engineContract(name, makeStore)
}

/** What nodes write, but for their logs. */
export function nodesContract(name: string, makeStore: MakeStore): void {
  describe(`store on ${name}`, () => {
    outputContract(makeStore)
    predictionContract(makeStore)
    sampleContract(makeStore)
  })
}

/** Logs, and what the engine writes. */
export function engineContract(name: string, makeStore: MakeStore): void {
  describe(`store on ${name}`, () => {
    controlContract(makeStore)
    identityContract(makeStore)
    auditContract(makeStore)
    logContract(makeStore)
    logRetentionContract(makeStore)
    trafficContract(makeStore)
    requestContract(makeStore)
    heardTotalsContract(makeStore)
    leaseContract(makeStore)
    bundleContract(makeStore)
    uploadContract(makeStore)
  })
}
