/** A writer as a process of its own, to be killed: `node write-until-killed.ts <nats address> <data folder>`. */
import { createEventBus, connectNats, createLogger } from '@kre/service-kit'
import { openSqliteStore } from '@kre/store'
import { createMongoWriter } from '../create-mongo-writer.ts'

const [address = '', dataDir = ''] = process.argv.slice(2)
const store = await openSqliteStore({ dataDir })
const nats = await connectNats({ servers: [address], user: '', password: '' }, 'killed-writer')
const writer = createMongoWriter({
  store: {
    runtimes: store.runtimes,
    outputs: {
      ...store.outputs,
      async write(records) {
        const outcomes = await store.outputs.write(records)
        // Said between storing and acknowledging: who kills on it hits the worst moment.
        process.stdout.write('stored\n')
        return outcomes
      },
    },
  },
  nats,
  logger: createLogger('killed-writer', { level: 'error' }),
  events: createEventBus((error) => {
    throw error
  }),
})
await writer.start(new AbortController().signal)
