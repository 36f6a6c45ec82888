export {
  sampleDocument,
  sampleLog,
  sampleMeasurement,
  samplePrediction,
  sampleRelease,
  sampleRuntime,
  sampleVersion,
} from './sample-records.ts'
export { storeContract, type MakeStore } from './store-contract.ts'
