export {
  sampleDocument,
  sampleLog,
  sampleMeasurement,
  samplePrediction,
  sampleRelease,
  sampleRuntime,
  sampleVersion,
} from './sample-records.ts'
export type { MakeStore } from './make-store.ts'
export { storeContract } from './store-contract.ts'
