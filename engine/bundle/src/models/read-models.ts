import type { ModelFacts } from '@kre/contracts'
import { readMessageCatalog } from '@kre/contracts/model'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
import type { BundleLimits } from '../limits.ts'
import { NotAModel, readModelSignature } from './read-model-signature.ts'

const MODEL_SUFFIX = /\.onnx$/

/** What the manifest's check needs to know of the models that nodes run without code. */
export async function readModels(
  sources: readonly BundleFile[],
  contents: ContentStore,
  descriptorSet: Uint8Array,
  limits: BundleLimits,
): Promise<ModelFacts> {
  const budget = { parts: limits.modelPartsMax }
  const signatures = new Map<string, ReturnType<ModelFacts['signatures']['get']> & object>()
  for (const { path, size, sha256 } of sources.filter(({ path }) => MODEL_SUFFIX.test(path))) {
    try {
      const read = (start: number, length: number) => contents.readPart(sha256, start, length)
      signatures.set(path, await readModelSignature(size, read, budget))
    } catch (thrown) {
      if (!(thrown instanceof NotAModel)) throw thrown
      signatures.set(path, { problem: thrown.message })
    }
  }
  return { catalog: readMessageCatalog(descriptorSet), signatures }
}
