/** What tests of other packages need to build archives, good and bad. */
export { krtOf, paxPart, paxRecord, tarOf, tarPart, type TarPart } from './build-tar.ts'
export { SAMPLE_FILES, SAMPLE_MANIFEST, SAMPLE_PROTO } from './sample-bundle.ts'
