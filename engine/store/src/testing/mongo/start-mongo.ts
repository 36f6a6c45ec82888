/** A real server of MongoDB's protocol for one test file: `await using mongo = await startMongo()`. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { waitUntil } from '@kre/service-kit'
import { MongoClient } from 'mongodb'
import type { Store } from '../../ports/store.ts'
import { openMongoStore } from '../../mongo/open-mongo-store.ts'
import { findFerretdb } from './find-ferretdb.ts'

export type TestMongo = AsyncDisposable & {
  readonly uri: string
  /** `FerretDB`, which can do less, or what the given server is. */
  readonly kind: 'FerretDB' | 'given'
  /** A client for looking behind a store's back; closed with the server. */
  readonly client: MongoClient
  /** A name for databases that nobody else has; they are dropped at the end. */
  newPrefix(): string
  /** A store on databases of its own, or of a prefix. */
  openStore(prefix?: string): Promise<Store>
  /** SIGKILL. Of a given server nothing: it is somebody else's. */
  kill(): Promise<void>
  /** Starts it again on the same address and files. */
  restart(): Promise<void>
}

const cacheDir = resolve(import.meta.dirname, '../../../../../.kre/cache')

/**
 * @param given the address of a server that is there.
 * @returns null, with the reason on standard error, when there is no server and none can be made.
 */
export async function startMongo(
  given: string | undefined = process.env['KRE_TEST_MONGODB_URI'],
): Promise<TestMongo | null> {
  if (given !== undefined && given !== '') return testMongo(given, null)
  try {
    const binary = await findFerretdb({ cacheDir, onProgress: say })
    const server = await startFerretdb(binary)
    return await testMongo(server.uri, server)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    say(`skipped: tests on MongoDB. KRE_TEST_MONGODB_URI is not set, and no FerretDB: ${reason}`)
    return null
  }
}

type Server = {
  uri: string
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

async function testMongo(uri: string, server: Server | null): Promise<TestMongo> {
  const client = await new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 }).connect()
  const prefixes: string[] = []
  const folders: string[] = []
  const newPrefix = (): string => {
    const prefix = `t${randomBytes(6).toString('hex')}-`
    prefixes.push(prefix)
    return prefix
  }
  return {
    uri,
    kind: server === null ? 'given' : 'FerretDB',
    client,
    newPrefix,
    async openStore(databasePrefix = newPrefix()) {
      const folder = await mkdtemp(join(tmpdir(), 'kre-mongo-store-'))
      folders.push(folder)
      return openMongoStore({ uri, cacheDir: folder, databasePrefix })
    },
    kill: async () => server?.kill(),
    restart: async () => server?.restart(),
    async [Symbol.asyncDispose]() {
      if (server === null) await dropAll(client, prefixes)
      await client.close()
      await server?.stop()
      for (const folder of folders) await rm(folder, { recursive: true, force: true })
    },
  }
}

async function dropAll(client: MongoClient, prefixes: readonly string[]): Promise<void> {
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true })
  for (const { name } of databases)
    if (prefixes.some((prefix) => name.startsWith(prefix))) await client.db(name).dropDatabase()
}

async function startFerretdb(binary: string): Promise<Server> {
  const dir = await mkdtemp(join(tmpdir(), 'kre-ferretdb-'))
  await mkdir(join(dir, 'sqlite'))
  const port = await freePort()
  const start = async () => {
    const child = spawn(
      binary,
      [
        '--handler=sqlite',
        `--sqlite-url=file:${join(dir, 'sqlite')}/`,
        `--state-dir=${dir}`,
        `--listen-addr=127.0.0.1:${port}`,
        '--debug-addr=-',
        '--telemetry=disable',
        '--log-level=error',
      ],
      { stdio: 'ignore' },
    )
    const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', String(child.pid), dir], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    guard.unref()
    await waitUntil('FerretDB listening', () => canConnect(port))
    return { child, guard }
  }
  let running = await start()
  const kill = async (): Promise<void> => {
    const exited = once(running.child, 'exit')
    running.child.kill('SIGKILL')
    await exited
    running.guard.kill('SIGKILL')
  }
  return {
    uri: `mongodb://127.0.0.1:${port}/`,
    kill,
    async restart() {
      running = await start()
    },
    async stop() {
      if (running.child.exitCode === null && running.child.signalCode === null) await kill()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Ends the server, and removes its folder, when this process is gone without having done so. */
const GUARD = 'cat >/dev/null; kill -9 "$1" 2>/dev/null; rm -rf "$2"'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function canConnect(port: number): Promise<boolean> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/`, { serverSelectionTimeoutMS: 500 })
  try {
    await client.connect()
    await client.db('admin').command({ ping: 1 })
    return true
  } catch {
    return false // not yet: asked again
  } finally {
    await client.close()
  }
}

function say(message: string): void {
  process.stderr.write(`${message}\n`)
}
