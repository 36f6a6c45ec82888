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
type Edit = { readonly runtimeId: string; readonly level: AccessLevel | null }

/** Levels of one user on every runtime. */
export function GrantsDialog({ email, grants, onClose }: GrantsDialogProps) {
  const query = useQuery(Runtimes, {})
  // Apart from what there is, so that the choices outlast somebody else's change of it.
  const [edits, setEdits] = useState<readonly Edit[]>([])
  const wanted = edits.reduce<readonly Grant[]>(
    (all, { runtimeId, level }) => withGrant(all, runtimeId, level),
    grants,
  )
  return (
    <ChangeDialog
      title={t.access.grantsTitle(email)}
      text={t.access.consequence}
      verb={t.access.save}
      isDangerous={false}
      twin={(comment) => grantTwin(email, wanted, comment)}
      change={async (comment) => {
        await saveGrants(email, { from: grants, to: wanted }, comment)
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
                      onChange={(level) => setEdits([...edits, { runtimeId: id, level }])}
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

/**
 * @param change.from all that the user has, as far as is known: when it is not so any more, nothing is changed.
 * @param change.to all that the user shall have: what is not named is taken away.
 * @throws ApiError, `ABORTED` when somebody else was faster.
 */
export async function saveGrants(
  email: string,
  change: { readonly from: readonly Grant[]; readonly to: readonly Grant[] },
  comment: string,
): Promise<void> {
  await runOperation(UpdateGrants, {
    input: {
      userIds: [email],
      grants: change.to.map(toInput),
      ifGrants: change.from.map(toInput),
      comment,
    },
  })
  notify({ kind: 'done', text: t.access.done(email) })
  await queries.refreshAll()
}

/** Without what a query adds. */
function toInput({ runtimeId, accessLevel }: Grant): Grant {
  return { runtimeId, accessLevel }
}
