/** A server of MongoDB's protocol for an engine that is measured: a given one, or FerretDB as the tests have it. */
import { startMongo } from '@kre/store/testing/mongo'

export type BenchMongo = AsyncDisposable & {
  readonly uri: string
  /** In front of the names of all databases of the run; those are dropped at its end. */
  readonly prefix: string
  /** What it is, for readers of figures. */
  readonly what: string
  /** Variables of an engine that keeps its data there. */
  readonly settings: Readonly<Record<string, string>>
}

/** What says which server it is; only FerretDB has a version of its own. */
type BuildInfo = { version: string; ferretdbVersion?: string }

/**
 * @param given the address of a server; null = FerretDB, built from its Go module where it is not yet.
 * @throws Error when there is neither.
 */
export async function startBenchMongo(given: string | null): Promise<BenchMongo> {
  const server = await startMongo(given ?? undefined)
  if (server === null)
    throw new Error(
      'there is no MongoDB to measure on: install Go, which builds FerretDB, or give the address of a server with --mongo URI',
    )
  const info = (await server.client.db('admin').command({ buildInfo: 1 })) as unknown as BuildInfo
  const prefix = server.newPrefix()
  return {
    uri: server.uri,
    prefix,
    what:
      info.ferretdbVersion === undefined
        ? `MongoDB ${info.version}`
        : `FerretDB ${info.ferretdbVersion.replace(/^v/, '')}, which stands in for MongoDB and reads whole collections`,
    settings: { KRE_MONGODB_URI: server.uri, KRE_MONGODB_PREFIX: prefix },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
