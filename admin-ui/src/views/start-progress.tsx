import type { VersionFacts } from '../gen/documents.ts'
import { t } from '../texts/en.ts'

/** How far a start is, and on what it waits; or what went wrong. */
export function StartProgress({ version }: { version: VersionFacts }) {
  const { status, statusReason, errors } = version
  if (status === 'ERROR')
    return (
      <div className="note note-error" role="alert">
        {(errors.length > 0 ? errors : [statusReason]).map((text) => (
          <p key={text}>{text}</p>
        ))}
      </div>
    )
  if (status !== 'STARTING') return null
  const nodes = version.workflows.flatMap((workflow) => workflow.nodes)
  const ready = nodes.filter((node) => node.status === 'STARTED').length
  const waiting = nodes.filter((node) => node.statusReason !== '')
  return (
    <div className="note" role="status">
      <p>{t.version.starting(ready, nodes.length)}</p>
      <progress
        max={nodes.length}
        value={ready}
        aria-label={t.version.starting(ready, nodes.length)}
      />
      {statusReason !== '' && <p>{statusReason}</p>}
      {waiting.length > 0 && (
        <ul className="stages">
          {waiting.map((node) => (
            <li key={node.id}>
              <strong>{node.name}</strong>: {node.statusReason}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
