export { sampleFacts, sampleNode } from './sample-facts.ts'
