import { useState } from 'react'
import { runOperation } from '../api/run-operation.ts'
import { queries, useQuery } from '../api/use-query.ts'
import { Runtimes, UpdateGrants, type AccessLevel } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { QueryView } from '../ui/query-view.tsx'
import { notify } from '../ui/toasts.ts'
import { ChangeDialog } from './change-dialog.tsx'
import { GRANT_LEVELS, grantTwin, levelOn, withGrant, type Grant } from './grants.ts'

type GrantsDialogProps = { email: string; grants: readonly Grant[]; onClose: () => void }

/** Levels of one user on every runtime. */
export function GrantsDialog({ email, grants, onClose }: GrantsDialogProps) {
  const query = useQuery(Runtimes, {})
  const [wanted, setWanted] = useState(grants)
  return (
    <ChangeDialog
      title={t.access.grantsTitle(email)}
      text={t.access.consequence}
      verb={t.access.save}
      isDangerous={false}
      twin={(comment) => grantTwin(email, wanted, comment)}
      change={async (comment) => {
        await saveGrants(email, wanted, comment)
        onClose()
      }}
      onClose={onClose}
      isCommentFirst={false}
    >
      <QueryView query={query}>
        {({ runtimes }) =>
          runtimes.length === 0 ? (
            <p className="faint">{t.access.noRuntimes}</p>
          ) : (
            <ul className="grant-list">
              {runtimes.map(({ id, name }) => (
                <li key={id}>
                  <label>
                    <span>
                      {name} <code className="faint">{id}</code>
                    </span>
                    <GrantSelect
                      level={levelOn(wanted, id)}
                      onChange={(level) => setWanted(withGrant(wanted, id, level))}
                    />
                  </label>
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </ChangeDialog>
  )
}

type GrantSelectProps = {
  level: AccessLevel | null
  onChange: (level: AccessLevel | null) => void
  id?: string
}

/** A level on a runtime, or none. */
export function GrantSelect({ level, onChange, id }: GrantSelectProps) {
  return (
    <select
      id={id}
      value={level ?? ''}
      onChange={({ target }) =>
        onChange(GRANT_LEVELS.find((candidate) => candidate === target.value) ?? null)
      }
    >
      <option value="">{t.access.none}</option>
      {GRANT_LEVELS.map((one) => (
        <option key={one} value={one}>
          {t.users.levels[one]}
        </option>
      ))}
    </select>
  )
}

/** @param grants all of them: what is not named is taken away. @throws ApiError. */
export async function saveGrants(
  email: string,
  grants: readonly Grant[],
  comment: string,
): Promise<void> {
  await runOperation(UpdateGrants, {
    input: {
      userIds: [email],
      grants: grants.map(({ runtimeId, accessLevel }) => ({ runtimeId, accessLevel })),
      comment,
    },
  })
  notify({ kind: 'done', text: t.access.done(email) })
  await queries.refreshAll()
}
