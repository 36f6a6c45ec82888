/** The laptop's nats-server: started under its guard, adopted when an earlier engine left it running. */
import { spawn } from 'node:child_process'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KreError, MINUTE_MS, type NatsAccess, toKreError } from '@kre/contracts'
import { processStartTime, waitUntil, type Logger } from '@kre/service-kit'
import { z } from 'zod'
import { findServer } from './find-server.ts'
import { moveStore } from './move-store.ts'
import { serverConfig } from './server-config.ts'
import { createServerKeys, engineAccess, ServerKeys } from './server-keys.ts'

const GUARD = fileURLToPath(new URL('guard.sh', import.meta.url))
/** How often the guard is looked after, and the heartbeat written, in ms. */
const BEAT_MS = 2_000
/** It reads its streams before it listens: many of them on a slow disk take their time. */
const START_TIMEOUT_MS = 2 * MINUTE_MS
/** A server that was started so often and is not there ends each time for a reason of its own. */
const STARTS_MAX = 5

export type LocalNatsServer = AsyncDisposable & {
  engineAccess: NatsAccess
  /** By which accounts are made. Secret. */
  keys: ServerKeys
  /** Folder of the server. */
  dir: string
  /** Of nats-server itself; changes when the guard restarts it. */
  pid(): Promise<number | null>
  guardPid(): number
  port: number
  /** Whether an earlier engine had left it running. */
  adopted: boolean
  /** Ends server and guard; their data stays. Disposing, in contrast, leaves them to the next engine. */
  stop(): Promise<void>
}

export async function startLocalNatsServer(options: {
  /** Folder of this server: store, configuration, keys (mode 0700). */
  dir: string
  /** Path of nats-server. */
  binary: string
  /** Without an engine for so long, the server ends; longer than its clients take to drain. */
  engineAbsenceMs: number
  logger: Logger
}): Promise<LocalNatsServer> {
  const { dir, logger } = options
  await mkdir(join(dir, 'jetstream'), { recursive: true, mode: 0o700 })
  await mkdir(join(dir, 'accounts'), { recursive: true, mode: 0o700 })
  const file = (name: string) => join(dir, name)
  const keys = await readOr(
    file('keys.json'),
    (text) => ServerKeys.parse(JSON.parse(text)),
    createServerKeys,
  )

  const beat = await createHeartbeat(file('heartbeat'))

  const serverPid = () => findServer(file('nats.pid'), file('nats.conf'))
  /** A server whose guard was killed: another one beside it would write into the same store. */
  const endOrphan = async () => {
    const orphan = await serverPid()
    if (orphan !== null) await endProcess(orphan)
  }

  const running = await runningGuard(file('guard.json'))
  // A server without accounts, of an engine of before: its streams are taken over, its clients are started anew.
  if (running !== null && !running.hasAccounts) await endProcess(running.pid)
  const adopted = running?.hasAccounts === true ? running : null
  if (adopted === null) {
    await endOrphan()
    const former = await moveStore(join(dir, 'jetstream'), keys)
    if (former !== null) logger.info({ former }, 'streams were given to the account of the engine')
  }
  // After the streams are where these keys look for them.
  await writeAtomically(file('keys.json'), JSON.stringify(keys))
  await rm(file('credentials.json'), { force: true })
  const port = adopted?.port ?? (await freePort(await readOr(file('port'), parsePort, () => 0)))
  await writeAtomically(file('port'), String(port))
  const startGuard = async (): Promise<number> => {
    await writeAtomically(
      file('nats.conf'),
      serverConfig({
        port,
        storeDir: join(dir, 'jetstream'),
        accountsDir: join(dir, 'accounts'),
        keys,
      }),
    )
    const log = await open(file('nats.log'), 'a', 0o600)
    const grace = String(Math.ceil(options.engineAbsenceMs / 1000))
    const guard = spawn(
      '/bin/sh',
      [GUARD, options.binary, file('nats.conf'), file('heartbeat'), grace, file('nats.pid')],
      {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      },
    )
    guard.unref()
    await log.close()
    const pid = guard.pid ?? 0
    await writeAtomically(
      file('guard.json'),
      JSON.stringify({ pid, startTime: await processStartTime(pid), port, hasAccounts: true }),
    )
    return pid
  }
  let guardPid = adopted?.pid ?? (await startGuard())

  try {
    await waitForServer(port, file('nats.pid'))
  } catch (error) {
    // One that only needs longer is left to the next engine.
    if (error instanceof EndsAtOnce) await endProcess(guardPid)
    throw notStarted(await lastLines(file('nats.log')), file('nats.log'), error)
  }

  let mending = Promise.resolve()
  const failed = (error: unknown) => logger.error({ error }, 'looking after nats-server failed')
  const timer = setInterval(() => {
    mending = mending
      .then(beat)
      .catch(failed)
      .then(async () => {
        if ((await runningGuard(file('guard.json'))) !== null) return
        logger.warn({ guardPid }, 'the guard of nats-server is gone: starting another')
        await endOrphan()
        guardPid = await startGuard()
      })
      .catch(failed)
  }, BEAT_MS)

  const release = async () => {
    clearInterval(timer)
    await mending
  }
  return {
    engineAccess: engineAccess(keys, 'engine', [`127.0.0.1:${port}`]),
    keys,
    dir,
    port,
    adopted: adopted !== null,
    pid: serverPid,
    guardPid: () => guardPid,
    async stop() {
      await release()
      const server = await serverPid()
      await endProcess(guardPid)
      if (server !== null) await endProcess(server)
      await rm(file('guard.json'), { force: true })
    },
    [Symbol.asyncDispose]: release,
  }
}

class EndsAtOnce extends Error {}

async function waitForServer(port: number, pidFile: string): Promise<void> {
  const started = new Set<string>()
  const isThere = async () => {
    if (await canConnect(port)) return true
    const pid = await readFile(pidFile, 'utf8').catch(() => '')
    if (pid !== '') started.add(pid)
    if (started.size > STARTS_MAX)
      throw new EndsAtOnce('it ends again and again as soon as it is started')
    return false
  }
  await waitUntil('nats-server', isThere, { timeoutMs: START_TIMEOUT_MS })
}

function notStarted(lines: string, logFile: string, cause: unknown): KreError {
  return new KreError(
    'unavailable',
    `nats-server did not start: ${toKreError(cause).message}. Its last lines (${logFile}):\n${lines}`,
    {},
    { cause },
  )
}

async function lastLines(logFile: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '')
  return log.trim().split('\n').slice(-5).join('\n')
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

const Guard = z.object({
  pid: z.number(),
  startTime: z.string().nullable(),
  port: z.number(),
  /** Whether its server knows accounts: those of engines of before do not. */
  hasAccounts: z.boolean().default(false),
})
type Guard = z.infer<typeof Guard>

/** The guard of an earlier engine, if it lives: same pid and same start, so that a reused pid is not taken for it. */
async function runningGuard(file: string): Promise<Guard | null> {
  const guard = await readOr(
    file,
    (text): Guard | null => Guard.parse(JSON.parse(text)),
    () => null,
  )
  if (guard === null) return null
  const started = await processStartTime(guard.pid)
  return started !== null && started === guard.startTime ? guard : null
}

async function endProcess(pid: number): Promise<void> {
  const gone = async () => (await processStartTime(pid)) === null
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (await gone()) return
    try {
      process.kill(pid, signal)
    } catch {
      return // it ended by itself meanwhile
    }
    const ended = await waitUntil(`process ${pid} gone`, gone, { timeoutMs: 5_000 }).catch(
      () => false,
    )
    if (ended) return
  }
}

/** 0 for anything that is no port: any free one will do. */
function parsePort(text: string): number {
  const port = Number(text)
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : 0
}

/** `preferred` when it is free, else any free port of loopback. */
function freePort(preferred: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => (preferred === 0 ? reject(error) : resolve(freePort(0))))
    probe.listen(preferred, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}

async function readOr<T>(file: string, parse: (text: string) => T, otherwise: () => T): Promise<T> {
  try {
    return parse(await readFile(file, 'utf8'))
  } catch {
    return otherwise() // not there yet, or cut off by a crash: made anew
  }
}

/** Digits of a count and of a process id. */
const BEAT_DIGITS = 16

/**
 * Writes a new line over the last one, of the same length: that takes no space, so that a full disk does not look as if
 * no engine were there.
 *
 * @returns writes the next line.
 */
async function createHeartbeat(file: string): Promise<() => Promise<void>> {
  let beats = 0
  const line = () => [process.pid, ++beats].map((n) => String(n).padStart(BEAT_DIGITS)).join('')
  await writeAtomically(file, `${line()}\n`)
  const overwrite = async (text: string): Promise<void> => {
    await using handle = await open(file, 'r+')
    await handle.write(text, 0)
  }
  return () => {
    const text = `${line()}\n`
    return overwrite(text).catch(() => writeAtomically(file, text))
  }
}

async function writeAtomically(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}
