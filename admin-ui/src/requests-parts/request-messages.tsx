import '../style/try-it.css'
import { useQuery } from '../api/use-query.ts'
import { RequestMessages as RequestMessagesDocument } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { QueryView } from '../ui/query-view.tsx'
import { MessageView } from './message-view.tsx'
import { SamplingNote } from './sampling-note.tsx'

type RequestMessagesProps = { runtimeId: string; versionName: string; id: string }

/** What each node got and sent of a request, where it was kept. */
export function RequestMessages({ runtimeId, versionName, id }: RequestMessagesProps) {
  const query = useQuery(RequestMessagesDocument, { runtimeId, id })
  return (
    <section className="stack-tight" aria-label={t.messages.title}>
      <h2>{t.messages.title}</h2>
      <QueryView query={query}>
        {({ request }) => {
          const steps = (request?.steps ?? []).filter(
            ({ input, output }) => input !== null || output !== null,
          )
          if (steps.length === 0)
            return (
              <>
                <p className="faint">{t.messages.none}</p>
                <SamplingNote runtimeId={runtimeId} versionName={versionName} />
              </>
            )
          return (
            <ol className="step-messages">
              {steps.map(({ nodeId, fromNodeId, input, output }, index) => (
                <li key={index} className="panel try-panel">
                  <h3>
                    {nodeId} <span className="faint">{t.messages.from(fromNodeId)}</span>
                  </h3>
                  <div className="try-columns">
                    {input !== null && (
                      <div>
                        <h4>{t.messages.input}</h4>
                        <MessageView message={input} />
                      </div>
                    )}
                    {output !== null && (
                      <div>
                        <h4>{t.messages.output}</h4>
                        <MessageView message={output} />
                      </div>
                    )}
                  </div>
                </li>
              ))}
            </ol>
          )
        }}
      </QueryView>
    </section>
  )
}
