/** What a nats-server of the tests holds, counted in its folder: asking the server would be work of its own. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export type NatsHoldings = { accounts: number; streams: number; consumers: number }

/** @param dir of `startLocalNatsServer`. */
export async function natsHoldings(dir: string): Promise<NatsHoldings> {
  const accounts = (await readdir(join(dir, 'accounts'), { recursive: true })).filter((name) =>
    name.endsWith('.jwt'),
  )
  let [streams, consumers] = [0, 0]
  const root = join(dir, 'jetstream', 'jetstream')
  for (const account of await readdir(root)) {
    const own = join(root, account, 'streams')
    for (const stream of await readdir(own).catch(() => [])) {
      streams += 1
      consumers += (await readdir(join(own, stream, 'obs')).catch(() => [])).length
    }
  }
  return { accounts: accounts.length, streams, consumers }
}

export async function natsPid(dir: string): Promise<number> {
  return Number(await readFile(join(dir, 'nats.pid'), 'utf8'))
}
