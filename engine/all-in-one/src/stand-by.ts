import { observe } from './observe.ts'
import type { NatsSide } from './nats-side.ts'
import type { LeadingDeps } from './start-leading.ts'
import type { Role } from './role.ts'

/**
 * What an engine does beside the one that leads: it shows the world as that one has written it down, and counts what
 * processes report for its own readers, but stores nothing of it.
 */
export async function standBy(
  deps: Pick<LeadingDeps, 'config' | 'store' | 'nats' | 'logger'> & {
    natsServer: NatsSide
  },
): Promise<Role> {
  const { config, store, nats, logger, natsServer } = deps
  const observed = await observe({
    store,
    nats,
    logger,
    logBounds: config.logBounds,
    natsServer,
    // Two that store what they hear would count everything twice.
    mayStore: () => false,
  })
  return {
    metrics: () => observed.metrics(),
    live: observed.live,
    async workloads() {
      const runtimes = await store.runtimes.list()
      const placements = await Promise.all(runtimes.map(({ id }) => store.placements.get(id)))
      return placements.flatMap((placement) => placement?.workloads ?? [])
    },
    natsPids: () => natsServer.pids(),
    [Symbol.asyncDispose]: () => observed[Symbol.asyncDispose](),
  }
}
