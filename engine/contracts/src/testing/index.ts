export { sampleFacts, sampleNode } from './sample-facts.ts'
export * from './in-flight-text.ts'
