import { setTimeout as sleep } from 'node:timers/promises'
import { KreError, SECOND_MS } from '@kre/contracts'
import type { DataDirClaim } from '../claim-data-dir.ts'
import { sharesInstallation } from '../config.ts'
import { joinNats } from '../nats-side.ts'
import type { Role } from '../role.ts'
import { standBy } from '../stand-by.ts'
import { campaign } from './campaign.ts'
import { LeaseHeld } from './take-lease.ts'
import { takeSeat, type Link, type Seat, type SeatDeps } from './take-seat.ts'

/** After a take-over that failed, for example because NATS could not be started. */
const AGAIN_MS = 2 * SECOND_MS

export type Leadership = {
  readonly link: Link
  /** `host:port` of nats-server. */
  readonly natsAddress: string
  /** What the engine is at the moment. */
  role(): Role
  leads(): boolean
  /** Says where the engine serves, when it leads. */
  write(adminUrl: string): Promise<void>
  /** The engine is up, at `adminUrl`: from now on it takes over when the one that leads is gone. */
  follow(adminUrl: string): void
  /** Writes down again who leads, when this engine does. @returns false when the data folder is gone. */
  mend(): Promise<boolean>
  /** Stops leading, or standing by; what runs goes on. */
  leave(): Promise<void>
  /** Ends everything that runs; of the engine that leads. */
  stop(): Promise<void>
}

/** @param claim of the data folder; null = another engine has it, and this one stands by. */
export async function openLeadership(
  deps: Omit<SeatDeps, 'claim'>,
  claim: DataDirClaim | null,
): Promise<Leadership> {
  const { config, store, logger } = deps
  const closing = new AbortController()
  let seat: Seat | null = null
  let standing: Role | null = null
  let campaigning: Promise<void> = Promise.resolve()
  let link: Link
  let natsAddress: string
  const isShared = sharesInstallation(config)
  // On computers of their own engines have a folder each, and it stays theirs whoever leads.
  const own = claim === null || !isShared ? claim : { ...claim, release: async () => undefined }
  if (own !== null) seat = await takeFirstSeat({ ...deps, claim: own }, closing.signal, isShared)
  if (seat === null) {
    const natsServer = await joinNats(config, logger, deps.say)
    link = await deps.link(() => natsServer.engineAccess())
    natsAddress = natsServer.address
    standing = await standBy({ config, store, nats: link.nats, logger, natsServer })
  } else {
    const { natsServer } = seat
    link = await deps.link(() => natsServer.engineAccess())
    natsAddress = seat.natsServer.address
  }

  const takeOver = async (adminUrl: string): Promise<void> => {
    const { dataDir } = config
    const now = () => performance.now()
    const taken =
      own ?? (await campaign({ dataDir, leases: store.leases, logger, now }, closing.signal))
    await taken.write(adminUrl)
    seat = await takeSeat({ ...deps, claim: taken }, closing.signal, isShared)
    seat.settle()
    logger.info({ pid: process.pid }, 'the engine that led is gone: this one leads')
    await standing?.[Symbol.asyncDispose]()
    standing = null
  }
  const followUntilSeated = async (adminUrl: string): Promise<void> => {
    while (seat === null && !closing.signal.aborted) {
      try {
        await takeOver(adminUrl)
      } catch (error) {
        if (closing.signal.aborted) return
        logger.error({ err: error }, 'this engine could not take over; it tries again')
        await sleep(AGAIN_MS)
      }
    }
  }
  const end = async (): Promise<void> => {
    closing.abort()
    await campaigning
    await standing?.[Symbol.asyncDispose]()
    standing = null
  }

  return {
    link,
    natsAddress,
    role() {
      const role = seat?.leading ?? standing
      if (role === null) throw new KreError('unavailable', 'the engine is ending')
      return role
    },
    leads: () => seat !== null,
    write: async (adminUrl) => seat?.write(adminUrl),
    follow(adminUrl) {
      seat?.settle()
      campaigning = followUntilSeated(adminUrl)
    },
    mend: async () => (await seat?.mend()) ?? true,
    async leave() {
      await end()
      await seat?.leave()
    },
    async stop() {
      await end()
      await seat?.stop()
    },
  }
}

/** @returns null when an engine of another computer leads. */
async function takeFirstSeat(
  deps: SeatDeps,
  signal: AbortSignal,
  isShared: boolean,
): Promise<Seat | null> {
  try {
    return await takeSeat(deps, signal)
  } catch (error) {
    if (isShared && error instanceof LeaseHeld) return null
    throw error
  }
}
