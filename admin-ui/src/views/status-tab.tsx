import { useMemo } from 'react'
import type { VersionFacts } from '../gen/documents.ts'
import { GraphProvider } from '../graph/graph-context.ts'
import { GraphDetails } from '../graph/graph-details.tsx'
import { GraphLegend } from '../graph/graph-legend.tsx'
import { graphOf } from '../graph/graph-model.ts'
import { GraphTable } from '../graph/graph-table.tsx'
import { useTraffic } from '../graph/use-traffic.ts'
import { WorkflowCanvas } from '../graph/workflow-canvas.tsx'
import { t } from '../texts/en.ts'
import { ErrorNote } from '../ui/error-note.tsx'
import { Face } from '../ui/query-view.tsx'
import { useChoices } from '../ui/use-choices.ts'

type StatusTabProps = { runtimeId: string; versionName: string; version: VersionFacts }

const RUNNING = new Set(['STARTING', 'STARTED', 'PUBLISHED', 'STOPPING', 'ERROR'])

/** The workflow as it lives: a picture, and the same as a table. What is chosen stands in the address. */
export function StatusTab({ runtimeId, versionName, version }: StatusTabProps) {
  const [search, change] = useChoices()
  const isRunning = RUNNING.has(version.status)
  const { store, error } = useTraffic(runtimeId, versionName, isRunning)
  const workflow =
    version.workflows.find(({ id }) => id === search.get('workflow')) ?? version.workflows[0]
  // Read anew from the engine the workflow is another object, also where nothing changed.
  const graph = useMemo(
    () => (workflow === undefined ? null : graphOf(workflow)),
    [JSON.stringify(workflow)],
  )
  const workflowId = workflow?.id ?? ''
  const context = useMemo(() => ({ workflowId, traffic: store }), [workflowId, store])
  if (workflow === undefined || graph === null)
    return <Face title={t.graph.emptyTitle} text={t.graph.empty} />

  const asTable = search.get('as') === 'table'
  const chosen = search.get('selected')
  // What was chosen may be of another workflow, or of another version.
  const parts = [...graph.nodes, ...graph.edges]
  const selected = parts.some(({ id }) => id === chosen) ? chosen : null
  const select = (id: string | null): void => change('selected', id)
  return (
    <GraphProvider value={context}>
      <section aria-label={t.graph.title}>
        <div className="toolbar">
          {version.workflows.length > 1 && (
            <label>
              {t.graph.workflow}{' '}
              <select
                value={workflow.id}
                onChange={(event) => change('workflow', event.target.value)}
              >
                {version.workflows.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
          <div className="switch" role="group" aria-label={t.graph.shownAs}>
            <button type="button" aria-pressed={!asTable} onClick={() => change('as', null)}>
              {t.graph.asGraph}
            </button>
            <button type="button" aria-pressed={asTable} onClick={() => change('as', 'table')}>
              {t.graph.asTable}
            </button>
          </div>
          {isRunning && <span className="faint">{t.graph.window}</span>}
        </div>
        {error !== null && <ErrorNote error={error} />}
        <div className={selected === null ? 'graph' : 'graph graph-with-details'}>
          {asTable ? (
            <GraphTable graph={graph} onSelect={select} />
          ) : (
            <div className="stack-tight">
              <WorkflowCanvas graph={graph} selected={selected} onSelect={select} />
              <GraphLegend graph={graph} />
            </div>
          )}
          {selected !== null && (
            <GraphDetails
              runtimeId={runtimeId}
              versionName={versionName}
              graph={graph}
              selected={selected}
              onSelect={select}
            />
          )}
        </div>
      </section>
    </GraphProvider>
  )
}
