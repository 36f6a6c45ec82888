import type { ShownMessage } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { formatBytes } from '../ui/format.ts'

/** A message that was kept: decoded where that is possible, as text in any case. */
export function MessageView({ message }: { message: ShownMessage }) {
  const { type, bytes, isHidden, json, problem, base64 } = message
  const text = json === null ? (base64 ?? '') : pretty(json)
  return (
    <div className="kept-message">
      <p className="row">
        <code>{type === '' ? t.messages.unknownType : type}</code>
        <span className="faint">{formatBytes(bytes)}</span>
      </p>
      {isHidden && <p className="faint">{t.messages.hidden}</p>}
      {problem !== '' && <p className="faint">{problem}</p>}
      {!isHidden && json === '{}' && <p className="faint">{t.messages.empty}</p>}
      {!isHidden && text !== '' && json !== '{}' && (
        <div className="json-answer">
          <pre tabIndex={0} aria-label={json === null ? t.messages.asBase64 : type}>
            {text}
          </pre>
          <CopyButton text={text} name={type} />
        </div>
      )}
    </div>
  )
}

function pretty(json: string): string {
  return JSON.stringify(JSON.parse(json), null, 2)
}
