import type { Logins } from '../sign-in/logins.ts'
import type { Audit } from './audit.ts'
import { requestScope } from './request-scope.ts'

/** The same logins, each beginning with its record, whichever way of signing in led to it. */
export function auditLogins(logins: Logins, auditLog: Audit): Logins {
  return {
    ...logins,
    async begin(login) {
      const scope = requestScope()
      const entry = await auditLog.begin({
        operation: 'login',
        requestId: scope?.requestId ?? '',
        type: 'LOGIN',
        actor: login.user,
        principal: login.method === 'api-token' ? 'api-token' : 'login',
        address: scope?.address ?? '',
        userAgent: scope?.userAgent ?? login.userAgent,
        runtimeId: null,
        versionId: null,
        resource: {},
        args: {
          method: login.method,
          ...(login.apiToken === undefined ? {} : { apiTokenId: login.apiToken.id }),
        },
        comment: '',
      })
      if (scope !== null) scope.hasLoginRecord = true
      const rows = [[{ key: 'LOGIN_METHOD', value: login.method }]]
      try {
        const begun = await logins.begin(login)
        await entry.succeed({ rows })
        return begun
      } catch (error) {
        await entry.fail(error, { rows })
        throw error
      }
    },
  }
}
