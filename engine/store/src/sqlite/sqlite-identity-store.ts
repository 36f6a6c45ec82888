import type { IdentityStore } from '../ports/identity-store.ts'
import type { Database } from './database.ts'
import { createSqliteApiTokenStore } from './identity/sqlite-api-token-store.ts'
import { createSqliteAttemptStore } from './identity/sqlite-attempt-store.ts'
import { createSqliteLoginStore } from './identity/sqlite-login-store.ts'
import { createSqliteSettingsStore } from './identity/sqlite-settings-store.ts'
import { createSqliteSignInLinkStore } from './identity/sqlite-sign-in-link-store.ts'
import { createSqliteUserStore } from './identity/sqlite-user-store.ts'

export function createSqliteIdentityStore(db: Database): IdentityStore {
  return {
    users: createSqliteUserStore(db),
    logins: createSqliteLoginStore(db),
    links: createSqliteSignInLinkStore(db),
    apiTokens: createSqliteApiTokenStore(db),
    settings: createSqliteSettingsStore(db),
    attempts: createSqliteAttemptStore(db),
  }
}
