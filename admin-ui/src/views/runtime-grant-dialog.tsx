import { useState } from 'react'
import type { AccessLevel, RuntimeAccessResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Field } from '../ui/field.tsx'
import { ChangeDialog } from './change-dialog.tsx'
import { GrantSelect, saveGrants } from './grants-dialog.tsx'
import { grantTwin, levelOn, withGrant } from './grants.ts'

type User = RuntimeAccessResult['users'][number]

type RuntimeGrantDialogProps = {
  runtimeId: string
  runtimeName: string
  /** Null = one of the candidates. */
  user: User | null
  candidates: readonly User[]
  onClose: () => void
}

/** The level of one user on one runtime. */
export function RuntimeGrantDialog(props: RuntimeGrantDialogProps) {
  const { runtimeId, runtimeName, user, onClose } = props
  // The owner of the development token is nobody's to change.
  const candidates = props.candidates.filter(({ creationDate }) => creationDate !== null)
  const [email, setEmail] = useState(user?.email ?? '')
  const chosen = user ?? candidates.find((candidate) => candidate.email === email) ?? null
  const before = levelOn(chosen?.grants ?? [], runtimeId)
  const [level, setLevel] = useState<AccessLevel | null>(user === null ? 'VIEWER' : before)
  const from = chosen?.grants ?? []
  const grants = withGrant(from, runtimeId, level)
  return (
    <ChangeDialog
      title={
        user === null
          ? t.access.giveTitle(runtimeName)
          : t.access.changeTitle(user.email, runtimeName)
      }
      text={user === null && candidates.length === 0 ? t.access.nobodyLeft : t.access.consequence}
      verb={user === null ? t.access.give : t.access.save}
      isDangerous={false}
      isReady={chosen !== null && level !== before}
      twin={(comment) => grantTwin(chosen?.email ?? email, grants, comment)}
      change={async (comment) => {
        await saveGrants(chosen?.email ?? email, { from, to: grants }, comment)
        onClose()
      }}
      onClose={onClose}
      isCommentFirst={false}
    >
      {user === null && (
        <Field label={t.access.user}>
          {(field) => (
            <select
              {...field}
              autoFocus
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            >
              <option value="">{t.access.chooseUser}</option>
              {candidates.map((candidate) => (
                <option key={candidate.email}>{candidate.email}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label={t.access.runtimeLevel}>
        {({ id }) => <GrantSelect id={id} level={level} onChange={setLevel} />}
      </Field>
    </ChangeDialog>
  )
}
