import { hostname } from 'node:os'
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventBus, NatsAccess } from '@kre/contracts'
import type { DataDirClaim } from '../claim-data-dir.ts'
import { sharesInstallation, type Config } from '../config.ts'
import { startNats, type LedNats } from '../nats-side.ts'
import { startLeading, type Leading, type LeadingDeps } from '../start-leading.ts'
import { isOneProcess } from './campaign.ts'
import { keepLease } from './keep-lease.ts'
import { removeDeadLocks } from './remove-dead-locks.ts'
import { takeLease } from './take-lease.ts'

/** An engine's connection to NATS, and the events that come over it. */
export type Link = { readonly nats: LeadingDeps['nats']; readonly events: EventBus }

/** The place of the one engine that leads. */
export type Seat = {
  readonly leading: Leading
  readonly natsServer: LedNats
  /** The engine is up: left from now on, NATS stays for the next one, even when this one has started it. */
  settle(): void
  /** Writes down again who leads. @returns false when the data folder is gone. */
  mend: DataDirClaim['mend']
  write: DataDirClaim['write']
  /** Gives the place to the next engine; what runs goes on. */
  leave(): Promise<void>
  /** Ends what runs, NATS too, then leaves. */
  stop(): Promise<void>
}

export type SeatDeps = Omit<LeadingDeps, 'nats' | 'events' | 'natsServer' | 'fence'> & {
  claim: DataDirClaim
  /** This process among the holders of leases. */
  holder: string
  /** Whether the process of a holder has ended. */
  isGone: (holder: string) => Promise<boolean>
  /** The engine's connection, made when the server is there for the first time. */
  link: (access: () => NatsAccess) => Promise<Link>
  say: (text: string) => void
  /** An engine of another data folder leads now: this one must end what it runs. */
  onLost: () => void
}

/**
 * Begins to lead. What fails on the way is undone, and the claim given back.
 *
 * @param signal ends the waiting for the lease.
 * @param waits for as long as an engine of another computer leads.
 */
export async function takeSeat(deps: SeatDeps, signal: AbortSignal, waits = false): Promise<Seat> {
  const { config, store, logger, claim, say } = deps
  const release: (() => PromiseLike<unknown>)[] = [() => claim.release()]
  const leave = async () => {
    for (const step of release.splice(0).toReversed()) await step()
  }
  try {
    const now = () => performance.now()
    const place = await placeOf(config)
    const absenceMs = config.engineAbsenceMs + config.drainMs
    const pause = (ms: number) => sleep(ms, undefined, { signal })
    const isGone = async (holder: string) =>
      holder === deps.holder || !isOneProcess(holder) || (await deps.isGone(holder))
    const held = { leases: store.leases, now, pause, isGone, say, logger }
    const taken = await takeLease(held, { holder: deps.holder, place, absenceMs, waits })
    const lease = keepLease(held, taken.lease, taken.takenAt, deps.onLost)
    await removeDeadLocks(store.leases, deps.isGone)
    let leftAt: string | null = place
    release.push(() =>
      lease
        .release(leftAt)
        .catch((error: unknown) => logger.warn({ err: error }, 'the lease was not given back')),
    )
    const natsServer = await startNats(config, logger, say)
    let isUp = false
    release.push(async () => {
      // A start that failed leaves nothing behind that was not there before.
      if (isUp || natsServer.adopted) await natsServer[Symbol.asyncDispose]()
      else await natsServer.stop()
    })
    const link = await deps.link(() => natsServer.engineAccess())
    const leading = await startLeading({ ...deps, ...link, natsServer, fence: lease })
    release.push(() => leading[Symbol.asyncDispose]())
    return {
      leading,
      natsServer,
      settle() {
        isUp = true
      },
      mend: () => claim.mend(),
      write: (adminUrl) => claim.write(adminUrl),
      leave,
      async stop() {
        leftAt = null
        say('stopping: entrypoints, nodes, NATS')
        await leading.stopAll()
        await link.nats
          .drain()
          .catch((error: unknown) => logger.warn({ error }, 'NATS was gone before the engine'))
        await natsServer.stop()
        await leave()
      },
    }
  } catch (error) {
    await leave()
    throw error
  }
}

/**
 * Names what an engine can see of what runs. A store in the folder has no engines of other folders; one of several
 * folders tells them apart, also a copy of a folder from its original.
 */
async function placeOf(config: Config): Promise<string> {
  const { dataDir, mongodb } = config
  // Each of them sees all that runs.
  if (sharesInstallation(config)) return 'the cluster'
  if (mongodb === null) return 'its data folder'
  const { ino } = await stat(dataDir)
  return `${hostname()}:${dataDir} (${ino})`
}
