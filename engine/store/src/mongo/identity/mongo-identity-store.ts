import type { Db } from 'mongodb'
import type { IdentityStore } from '../../ports/identity-store.ts'
import { createMongoApiTokenStore } from './mongo-api-token-store.ts'
import { createMongoAttemptStore } from './mongo-attempt-store.ts'
import { createMongoLoginStore } from './mongo-login-store.ts'
import { createMongoSettingsStore } from './mongo-settings-store.ts'
import { createMongoSignInLinkStore } from './mongo-sign-in-link-store.ts'
import { createMongoUserStore, type MongoUserStore } from './mongo-user-store.ts'

export function createMongoIdentityStore(engine: Db): IdentityStore & { users: MongoUserStore } {
  return {
    users: createMongoUserStore(engine),
    logins: createMongoLoginStore(engine),
    links: createMongoSignInLinkStore(engine),
    apiTokens: createMongoApiTokenStore(engine),
    settings: createMongoSettingsStore(engine),
    attempts: createMongoAttemptStore(engine),
  }
}
