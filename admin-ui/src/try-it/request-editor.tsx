import { t } from '../texts/en.ts'
import { isObject } from './json.ts'
import { JsonEditor } from './json-editor.tsx'
import { MessageForm } from './message-form.tsx'
import type { TypeIndex } from './message-types.ts'
import { MessageFormContext } from './nested-message.tsx'
import type { RequestDraft } from './request-draft.ts'

type RequestEditorProps = {
  typeName: string
  types: TypeIndex
  draft: RequestDraft
  onChange: (draft: RequestDraft) => void
}

/** A request as a form and as JSON; what is changed in one is changed in the other. */
export function RequestEditor({ typeName, types, draft, onChange }: RequestEditorProps) {
  const { mode, value, text, error } = draft
  return (
    <>
      <div className="details-head">
        <h2>
          {t.tryIt.request} <code className="faint">{typeName}</code>
        </h2>
        <div className="switch" role="group" aria-label={t.tryIt.request}>
          {(['form', 'json'] as const).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === mode}
              onClick={() => onChange({ ...draft, mode: one })}
            >
              {t.tryIt[one]}
            </button>
          ))}
        </div>
      </div>
      {types.message(typeName)?.comment && (
        <p className="hint">{types.message(typeName)?.comment}</p>
      )}
      {mode === 'json' ? (
        <JsonEditor
          label={t.tryIt.jsonLabel(typeName)}
          text={text}
          error={error}
          onChange={(typed) => onChange(draft.withText(typed))}
        />
      ) : error !== null || !isObject(value) ? (
        <p className="note note-error">
          {error === null ? t.tryIt.notObject : t.tryIt.notJson(error)}
        </p>
      ) : (
        <MessageFormContext value={MessageForm}>
          <MessageForm
            typeName={typeName}
            value={value}
            types={types}
            onChange={(next) => onChange(draft.withValue(next))}
          />
        </MessageFormContext>
      )}
    </>
  )
}
