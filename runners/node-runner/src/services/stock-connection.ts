import type { NatsAccess } from '@kre/contracts/runtime'
import type { NatsConnection } from '@nats-io/transport-node'

/** The connection that the libraries for buckets work with. */
export type StockConnection = {
  /** Opens it when first used: most nodes never do, and the library is large. */
  get(): Promise<NatsConnection>
  close(): Promise<void>
}

export function createStockConnection(access: NatsAccess, name: string): StockConnection {
  let opened: Promise<NatsConnection> | null = null
  const open = async () => {
    const { connectNats } = await import('@kre/service-kit/nats')
    return connectNats(access, name)
  }
  return {
    get() {
      opened ??= open()
      opened.catch(() => (opened = null)) // tried again on the next use; the caller has the error
      return opened
    },
    async close() {
      const connection = await opened
      await connection?.drain()
    },
  }
}
