import { runOperation } from '../api/run-operation.ts'
import { EndLogin, type ProfileResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { momentColumn } from '../ui/moment-column.tsx'
import { shortUserAgent } from '../ui/user-agent.ts'
import { actAndTell } from './act-and-tell.ts'

type Login = NonNullable<NonNullable<ProfileResult['me']>['logins']>[number]

/** Logins of somebody that live, with what ends them. */
export function LoginTable({ logins }: { logins: readonly Login[] }) {
  return (
    <DataTable
      label={t.profile.logins}
      orderName="logins"
      rows={logins}
      keyOf={({ id }) => id}
      empty={<p className="faint">{t.account.noLogins}</p>}
      columns={[
        {
          key: 'browser',
          title: t.profile.browser,
          kind: 'name',
          cell: ({ userAgent, isCurrent }) => (
            <>
              <span title={userAgent}>{shortUserAgent(userAgent)}</span>
              {isCurrent && <span className="tag">{t.profile.current}</span>}
            </>
          ),
        },
        momentColumn('began', t.profile.began, ({ creationDate }: Login) => creationDate),
        momentColumn('used', t.profile.used, ({ lastActivity }: Login) => lastActivity),
        momentColumn('ends', t.profile.ends, ({ expirationDate }: Login) => expirationDate),
        {
          key: 'actions',
          title: t.versions.actions,
          cell: ({ id, isCurrent }) =>
            !isCurrent && (
              <div className="row-actions">
                <Button
                  onClick={() =>
                    void actAndTell(
                      () => runOperation(EndLogin, { input: { id } }),
                      t.profile.loginEnded,
                    )
                  }
                >
                  {t.profile.endLogin}
                </Button>
              </div>
            ),
        },
      ]}
    />
  )
}
