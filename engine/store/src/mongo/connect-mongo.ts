import { KreError, SECOND_MS } from '@kre/contracts'
import { MongoClient, type MongoClientOptions } from 'mongodb'
import { toKreError } from './to-kre-error.ts'

/** How long an operation looks for a server before it fails; the caller decides about trying again. */
const SERVER_SELECTION_MS = 5 * SECOND_MS
const CONNECT_MS = 5 * SECOND_MS
/** An answer that takes longer comes from a server that is gone: every operation of ours is bounded far below. */
const SOCKET_MS = 120 * SECOND_MS
/** Connections of one engine. Its calls are short, and more would only queue in the server. */
const POOL_CONNECTIONS_MAX = 20

/** Win over what the URI says: `w` and `journal` one by one, because a `writeConcern` is mixed with the URI's. */
export const MONGO_OPTIONS: Readonly<MongoClientOptions> = {
  appName: 'kre',
  w: 'majority',
  journal: true,
  readPreference: 'primary',
  ignoreUndefined: true,
  serverSelectionTimeoutMS: SERVER_SELECTION_MS,
  connectTimeoutMS: CONNECT_MS,
  socketTimeoutMS: SOCKET_MS,
  maxPoolSize: POOL_CONNECTIONS_MAX,
  waitQueueTimeoutMS: SOCKET_MS,
}

export type MongoConnection = {
  readonly client: MongoClient
  /** `host:port,…` without user and password, for messages. */
  readonly where: string
}

/**
 * Connects, and waits until a server answers. What was acknowledged survives: writes are acknowledged by a majority
 * with their journal, reads come from the primary, whatever the URI says.
 *
 * @throws KreError `invalid-argument` for what is no URI, `unavailable` when no server answers within 5 s.
 */
export async function connectMongo(uri: string): Promise<MongoConnection> {
  const client = toClient(uri)
  const { hosts, srvHost } = client.options
  const where = srvHost ?? hosts.map(String).join(',')
  try {
    await client.connect()
    await client.db('admin').command({ ping: 1 })
    return { client, where }
  } catch (error) {
    await client.close()
    throw toKreError(error, where)
  }
}

function toClient(uri: string): MongoClient {
  try {
    return new MongoClient(uri, MONGO_OPTIONS)
  } catch (error) {
    // The driver's message says which part is wrong and may hold that part; the URI holds a password.
    throw new KreError(
      'invalid-argument',
      'the address of MongoDB is not legal: use mongodb://USER:PASSWORD@HOST:PORT/?OPTIONS or mongodb+srv://…, with special characters of the password percent-encoded',
      {},
      { cause: error instanceof Error ? error.name : 'unknown' },
    )
  }
}
