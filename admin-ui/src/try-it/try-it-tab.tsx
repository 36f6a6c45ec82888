import '../style/try-it.css'
import { useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { VersionService, type VersionFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { Field } from '../ui/field.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { useChoices } from '../ui/use-choices.ts'
import { AnswerPanel } from './answer-panel.tsx'
import { findDraft, keepDraft } from './drafts.ts'
import { isMetadata, MetadataForm, type MetadataEntry } from './metadata-form.tsx'
import { indexTypes, type Rpc, type Service } from './message-types.ts'
import { requestDraft } from './request-draft.ts'
import { RequestEditor } from './request-editor.tsx'
import { SnippetsPanel } from './snippets-panel.tsx'
import { useCall } from './use-call.ts'

type TryItTabProps = {
  runtimeId: string
  versionName: string
  version: VersionFacts
  /** Name of the rpc; null = the first. */
  rpcName: string | null
}

/** Calls a workflow of a version that runs. */
export function TryItTab({ runtimeId, versionName, version, rpcName }: TryItTabProps) {
  const query = useQuery(VersionService, { runtimeId, name: versionName })
  const [, navigate] = useLocation()
  const [choices] = useChoices()
  // While it starts the entrypoint listens already, and nobody answers.
  const isUp = version.status !== 'STARTING' && version.status !== 'STOPPING'
  if (version.entrypointAddress === '' || !isUp)
    return (
      <Face
        title={t.tryIt.notStartedTitle}
        text={t.tryIt.notStarted(versionName, t.status[version.status])}
      >
        <Code text={`krectl version start -r ${shellWord(runtimeId)} ${shellWord(versionName)}`} />
      </Face>
    )
  return (
    <QueryView query={query}>
      {({ version: { service } }) => {
        const callable = service.rpcs.filter(({ workflowId }) => workflowId !== null)
        const workflow = choices.get('workflow')
        const rpc =
          service.rpcs.find(({ name }) => name === rpcName) ??
          callable.find(({ workflowId }) => workflowId === workflow) ??
          callable[0]
        if (rpc === undefined) return <Face title={t.faces.notFoundTitle} text={t.graph.empty} />
        return (
          <div className="try-it">
            <div className="toolbar">
              <label>
                {t.tryIt.rpc}{' '}
                <select
                  value={rpc.name}
                  onChange={({ target }) =>
                    navigate(paths.tryIt(runtimeId, versionName, target.value), { replace: true })
                  }
                >
                  {service.rpcs.map(({ name, workflowId }) => (
                    <option key={name} value={name}>
                      {t.tryIt.rpcOf(name, workflowId)}
                    </option>
                  ))}
                </select>
              </label>
              {rpc.serverStreaming && <span className="chip">{t.tryIt.stream}</span>}
              {rpc.comment !== '' && <span className="faint">{rpc.comment}</span>}
            </div>
            <TryRpc
              key={rpc.name}
              runtimeId={runtimeId}
              versionName={versionName}
              address={version.entrypointAddress}
              service={service}
              rpc={rpc}
            />
          </div>
        )
      }}
    </QueryView>
  )
}

type TryRpcProps = {
  runtimeId: string
  versionName: string
  address: string
  service: Service
  rpc: Rpc
}

function TryRpc({ runtimeId, versionName, address, service, rpc }: TryRpcProps) {
  const types = useMemo(() => indexTypes(service), [service])
  const hasForm = types.message(rpc.requestType) !== undefined
  const place = { runtimeId, versionName, workflow: rpc.workflowId ?? rpc.name }
  const [draft, setDraft] = useState(
    () => findDraft(place) ?? requestDraft({}, hasForm ? 'form' : 'json'),
  )
  const [deadline, setDeadline] = useState('30')
  const [metadata, setMetadata] = useState<readonly MetadataEntry[]>([])
  const { state, begin, stop } = useCall()
  const mayCall = hasLevel(useMe(), 'MANAGER', runtimeId)
  const timeoutMs = Math.round(Number(deadline) * 1000)
  const isDeadline = timeoutMs >= 1 && timeoutMs <= 600_000
  const isReady = draft.error === null && isDeadline && metadata.every(isMetadata)
  const isRunning = state?.isRunning ?? false
  // What was typed is sent as it is; the engine reads numbers exactly.
  const json = draft.mode === 'json' ? draft.text : JSON.stringify(draft.value)
  const call = { runtimeId, versionName, json, timeoutMs, metadata }

  return (
    <>
      <div className="try-columns">
        <form
          className="panel try-panel try-request"
          aria-label={t.tryIt.request}
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            if (isReady && mayCall && !isRunning) begin({ ...call, rpc: rpc.name })
          }}
        >
          <RequestEditor
            typeName={rpc.requestType}
            types={types}
            draft={draft}
            onChange={(next) => {
              keepDraft(place, next)
              setDraft(next)
            }}
          />
          <details className="more-options">
            <summary>
              {t.tryIt.deadline}, {t.tryIt.metadata.toLowerCase()}
            </summary>
            <Field
              label={t.tryIt.deadline}
              hint={t.tryIt.deadlineHint}
              error={isDeadline ? null : t.tryIt.badDeadline}
            >
              {(field) => (
                <input
                  {...field}
                  inputMode="decimal"
                  value={deadline}
                  onChange={({ target }) => setDeadline(target.value)}
                />
              )}
            </Field>
            <MetadataForm entries={metadata} onChange={setMetadata} />
          </details>
          <div className="row try-actions">
            {mayCall ? (
              <Button type="submit" kind="primary" disabled={!isReady || isRunning}>
                {t.tryIt.call}
              </Button>
            ) : (
              <p className="faint">{t.tryIt.mayNot}</p>
            )}
            {isRunning && <Button onClick={stop}>{t.tryIt.stop}</Button>}
          </div>
        </form>
        <AnswerPanel
          runtimeId={runtimeId}
          versionName={versionName}
          state={state}
          isStream={rpc.serverStreaming}
        />
      </div>
      <SnippetsPanel
        call={{
          ...call,
          address,
          rpc,
          json: draft.error === null ? JSON.stringify(draft.value) : '{}',
          timeoutMs: isDeadline ? timeoutMs : 30_000,
          metadata: metadata.filter(isMetadata),
        }}
      />
    </>
  )
}
