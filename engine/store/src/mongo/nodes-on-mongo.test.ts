import { onMongo } from '../testing/mongo/on-mongo.ts'
import { nodesContract } from '../testing/store-contract.ts'

await onMongo(nodesContract)
