import { runOperation } from '../api/run-operation.ts'
import { DeleteApiToken, type ProfileResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { momentColumn } from '../ui/moment-column.tsx'
import { actAndTell } from './act-and-tell.ts'

type Token = NonNullable<NonNullable<ProfileResult['me']>['apiTokens']>[number]

type TokenTableProps = { tokens: readonly Token[]; empty: string }

/** API tokens of somebody, with what ends them. */
export function TokenTable({ tokens, empty }: TokenTableProps) {
  return (
    <DataTable
      label={t.profile.tokens}
      orderName="tokens"
      rows={tokens}
      keyOf={({ id }) => id}
      empty={<p className="faint">{empty}</p>}
      columns={[
        {
          key: 'name',
          title: t.profile.tokenName,
          kind: 'name',
          cell: ({ name }) => name,
          sortBy: ({ name }) => name,
        },
        { key: 'scope', title: t.profile.scope, cell: ({ scope }) => t.account.scopes[scope] },
        momentColumn('used', t.profile.used, ({ lastActivity }: Token) => lastActivity),
        momentColumn('ends', t.profile.ends, ({ expirationDate }: Token) => expirationDate),
        {
          key: 'actions',
          title: t.versions.actions,
          cell: ({ id, name }) => (
            <div className="row-actions">
              <Button
                kind="danger"
                onClick={() =>
                  void actAndTell(
                    () => runOperation(DeleteApiToken, { input: { id } }),
                    t.profile.tokenDeleted(name),
                  )
                }
              >
                {t.profile.deleteToken}
              </Button>
            </div>
          ),
        },
      ]}
    />
  )
}
