import { useState } from 'react'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import {
  RemoveUsers,
  RevokeUserSessions,
  UpdateAccessLevel,
  type AccessLevel,
} from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Field } from '../ui/field.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { notify } from '../ui/toasts.ts'
import { ChangeDialog } from './change-dialog.tsx'

export type UserOperation = 'level' | 'revoke' | 'remove'

type UserDialogProps = {
  email: string
  level: AccessLevel | null
  operation: UserOperation
  onClose: () => void
}

/** Asks why, and changes a user. */
export function UserDialog({ email, level, operation, onClose }: UserDialogProps) {
  const [wanted, setWanted] = useState<AccessLevel | ''>(level ?? '')
  const words = t.users.operations[operation]

  async function change(comment: string): Promise<void> {
    const input = { userIds: [email], comment }
    if (operation === 'remove') await runOperation(RemoveUsers, { input })
    else if (operation === 'revoke') await runOperation(RevokeUserSessions, { input })
    else
      await runOperation(UpdateAccessLevel, {
        input: { ...input, accessLevel: wanted === '' ? null : wanted, ifAccessLevel: level },
      })
    notify({ kind: 'done', text: words.done(email) })
    onClose()
    await queries.refreshAll()
  }

  return (
    <ChangeDialog
      title={words.title(email)}
      text={words.consequence}
      verb={words.verb}
      isDangerous={operation === 'remove'}
      twin={(comment) =>
        `krectl user ${operation} ${operation === 'level' ? `${wanted || 'NONE'} ` : ''}${shellWord(email)} --comment ${shellWord(comment.trim())}`
      }
      change={change}
      onClose={onClose}
    >
      {operation === 'level' && (
        <Field label={t.users.level}>
          {(field) => (
            <select
              {...field}
              value={wanted}
              onChange={(event) => setWanted(event.target.value as AccessLevel | '')}
            >
              <option value="">{t.users.noLevel}</option>
              {(['VIEWER', 'MANAGER', 'ADMIN'] as const).map((one) => (
                <option key={one} value={one}>
                  {t.users.levels[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </ChangeDialog>
  )
}
