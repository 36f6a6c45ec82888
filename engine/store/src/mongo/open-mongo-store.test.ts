import { onMongo } from '../testing/mongo/on-mongo.ts'
import { engineContract } from '../testing/store-contract.ts'

// Half of the contract; the other is in nodes-on-mongo.test.ts: FerretDB inserts a thousand documents a second.
await onMongo(engineContract)
