import type { Release } from '@kre/contracts'
import type { Store } from '@kre/store'

/** Releases among which the publication is looked for; the newest ones. */
const RELEASES_READ = 50

/**
 * Writes down when and by whom the published version was published, when the engine that wrote the release died before
 * it could.
 */
export async function finishPublication(
  store: Pick<Store, 'versions' | 'releases'>,
  release: Release | null,
  versions: readonly { name: string; publishedAt: Date | null }[],
): Promise<void> {
  const version = versions.find(({ name }) => name === release?.published)
  if (release === null || version === undefined) return
  const { name, publishedAt } = version
  const isOlder = (one: Release) => publishedAt === null || publishedAt < one.cause.at
  const publishes = ({ cause }: Release) => cause.operation === 'publish' && cause.version === name
  if (publishedAt !== null && !(publishes(release) && isOlder(release))) return
  const { runtimeId } = release
  const said = (await store.releases.history(runtimeId, RELEASES_READ)).find(publishes)
  if (said !== undefined && isOlder(said))
    await store.versions.markPublished(runtimeId, name, said.cause.by, said.cause.at)
}
