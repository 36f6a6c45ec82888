export { createMongoWriter, type MongoWriter, type MongoWriterDeps } from './create-mongo-writer.ts'
export type { Retention } from './expire-outputs.ts'
export type { WriterCounts } from './writer-counts.ts'
