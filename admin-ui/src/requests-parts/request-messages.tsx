import '../style/try-it.css'
import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { RequestMessages as RequestMessagesDocument } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { keepDraft } from '../try-it/drafts.ts'
import { parseJson } from '../try-it/json.ts'
import { requestDraft } from '../try-it/request-draft.ts'
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
                        {fromNodeId === 'entrypoint' && input.json !== null && (
                          <TryAgain
                            runtimeId={runtimeId}
                            versionName={versionName}
                            nodeId={nodeId}
                            json={input.json}
                          />
                        )}
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

type TryAgainProps = { runtimeId: string; versionName: string; nodeId: string; json: string }

/** Leads to the form, with the request in it. */
function TryAgain({ runtimeId, versionName, nodeId, json }: TryAgainProps) {
  const [workflow = ''] = nodeId.split('.')
  return (
    <p>
      <Link
        href={paths.tryWorkflow(runtimeId, versionName, workflow)}
        onClick={() => {
          const place = { runtimeId, versionName, workflow }
          keepDraft(place, requestDraft(parseJson(json), 'json'))
        }}
      >
        {t.messages.tryAgain}
      </Link>
    </p>
  )
}
