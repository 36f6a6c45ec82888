import type { EntrypointLaunch, VersionInterface } from '@kre/contracts'
import { createJsonLogger } from '@kre/service-kit/runner'
import type { TestNats } from '@kre/service-kit/testing'
import type { NatsConnection } from '@nats-io/transport-node'
import type { Limits } from '../limits.ts'
import { type Entrypoint, startEntrypoint } from '../service.ts'
import {
  demoInterface,
  demoLaunch,
  type FakeNode,
  startNode,
  writeInterface,
} from './demo-version.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

/** A served version of its own on a shared NATS server, and a client. */
export type Scene = AsyncDisposable & {
  readonly nats: NatsConnection
  readonly version: string
  readonly entrypoint: Entrypoint
  readonly client: RawClient
  startNode(options?: Parameters<typeof startNode>[1]): FakeNode
}

export const silentLogger = createJsonLogger('entrypoint', { level: 'silent' })

let scenes = 0

export async function openScene(
  server: TestNats,
  options: {
    launch?: Partial<EntrypointLaunch>
    limits?: Partial<Limits>
    served?: Partial<VersionInterface>
  } = {},
): Promise<Scene> {
  const version = `v${++scenes}`
  const nats = await server.connect()
  await writeInterface(nats, demoInterface(version, options.served))
  const entrypoint = await startEntrypoint(
    demoLaunch(server.access, { version, ...options.launch }),
    { limits: options.limits ?? {}, logger: silentLogger },
  )
  const client = await connectRaw(entrypoint.address)
  return {
    nats,
    version,
    entrypoint,
    client,
    startNode: (nodeOptions) => startNode(nats, { version, ...nodeOptions }),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await entrypoint.stop()
      await nats.close()
    },
  }
}
