import '../style/try-it.css'
import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import {
  RequestMessages as RequestMessagesDocument,
  VersionService,
  type RequestMessagesResult,
} from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { keepDraft } from '../try-it/drafts.ts'
import { parseJson } from '../try-it/json.ts'
import { requestDraft } from '../try-it/request-draft.ts'
import { QueryView } from '../ui/query-view.tsx'
import { MessageView } from './message-view.tsx'
import { SamplingNote } from './sampling-note.tsx'

type Step = NonNullable<RequestMessagesResult['request']>['steps'][number]
type PlaceProps = { runtimeId: string; versionName: string }

/** What each node got and sent of a request, where it was kept. */
export function RequestMessages({ runtimeId, versionName, id }: PlaceProps & { id: string }) {
  const query = useQuery(RequestMessagesDocument, { runtimeId, id })
  const steps = keptOf(query.data)
  const streaming = useStreaming(steps.length === 0 ? null : { runtimeId, versionName })
  return (
    <section className="stack-tight" aria-label={t.messages.title}>
      <h2>{t.messages.title}</h2>
      <QueryView query={query}>
        {() =>
          steps.length === 0 ? (
            <>
              <p className="faint">{t.messages.none}</p>
              <SamplingNote runtimeId={runtimeId} versionName={versionName} />
            </>
          ) : (
            <ol className="step-messages">
              {steps.map((step, index) => (
                <li key={index} className="panel try-panel">
                  <StepMessages
                    runtimeId={runtimeId}
                    versionName={versionName}
                    step={step}
                    isStream={streaming.has(workflowOf(step))}
                  />
                </li>
              ))}
            </ol>
          )
        }
      </QueryView>
    </section>
  )
}

function keptOf(data: RequestMessagesResult | undefined): Step[] {
  const steps = data?.request?.steps ?? []
  return steps.filter(({ input, output }) => input !== null || output !== null)
}

/** Workflows that answer with a stream: of those the first message of each node is kept. @param of null = not asked. */
function useStreaming(of: PlaceProps | null): ReadonlySet<string | null> {
  const variables = of === null ? null : { runtimeId: of.runtimeId, name: of.versionName }
  const rpcs = useQuery(VersionService, variables).data?.version.service?.rpcs ?? []
  return new Set(rpcs.flatMap((rpc) => (rpc.serverStreaming ? [rpc.workflowId] : [])))
}

/** A node's id begins with that of its workflow. */
function workflowOf({ nodeId }: Step): string {
  return nodeId.slice(0, Math.max(0, nodeId.indexOf('.')))
}

type StepMessagesProps = PlaceProps & { step: Step; isStream: boolean }

function StepMessages({ runtimeId, versionName, step, isStream }: StepMessagesProps) {
  const { nodeId, fromNodeId, input, output } = step
  return (
    <>
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
                workflow={workflowOf(step)}
                json={input.json}
              />
            )}
          </div>
        )}
        {output !== null && (
          <div>
            <h4>{isStream ? t.messages.firstOutput : t.messages.output}</h4>
            <MessageView message={output} />
          </div>
        )}
      </div>
    </>
  )
}

type TryAgainProps = PlaceProps & { workflow: string; json: string }

/** Leads to the form, with the request in it. */
function TryAgain({ runtimeId, versionName, workflow, json }: TryAgainProps) {
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
