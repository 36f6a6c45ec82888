import { useState } from 'react'
import { Link } from 'wouter'
import { inOrder } from '../compare/choose-versions.ts'
import type { RuntimeFacts, RuntimeWithVersionsResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { DataTable } from '../ui/data-table.tsx'
import { Moment } from '../ui/moment.tsx'
import { RowLink } from '../ui/row-link.tsx'
import { StatusChip } from '../ui/status-chip.tsx'
import { VersionActions } from './version-actions.tsx'

type Version = RuntimeWithVersionsResult['versions'][number]
type VersionTableProps = {
  runtime: RuntimeFacts
  /** At least one. */
  versions: readonly Version[]
  mayEdit: boolean
}

/** The published version first, then the newest; two of them can be chosen and compared. */
export function VersionTable({ runtime, versions, mayEdit }: VersionTableProps) {
  const published = runtime.publishedVersion?.name ?? null
  const [chosen, setChosen] = useState<readonly string[]>([])
  const choose = (name: string, isChosen: boolean): void =>
    // A third one takes the place of the first.
    setChosen((before) =>
      isChosen ? [...before, name].slice(-2) : before.filter((other) => other !== name),
    )
  return (
    <>
      {versions.length > 1 && (
        <CompareBar runtimeId={runtime.id} versions={versions} chosen={chosen} />
      )}
      <DataTable
        label={t.versions.title}
        className="versions"
        rows={versions.toSorted(
          (a, b) => Number(b.name === published) - Number(a.name === published),
        )}
        keyOf={({ id }) => id}
        classOf={({ name }) => (name === published ? 'is-published' : '')}
        columns={[
          versions.length > 1 && {
            key: 'choose',
            title: t.compare.chosen,
            cell: ({ name }) => (
              <label className="choose-row">
                <input
                  type="checkbox"
                  aria-label={t.compare.choose(name)}
                  checked={chosen.includes(name)}
                  onChange={(event) => choose(name, event.target.checked)}
                />
              </label>
            ),
          },
          {
            key: 'version',
            title: t.versions.version,
            kind: 'name',
            cell: ({ name, description }) => (
              <>
                <RowLink href={paths.status(runtime.id, name)}>{name}</RowLink>
                <p className="faint clamp">{description}</p>
              </>
            ),
            sortBy: ({ name }) => name,
          },
          {
            key: 'status',
            title: t.versions.status,
            cell: Status,
            sortBy: ({ status }) => t.status[status],
          },
          {
            key: 'created',
            title: t.versions.created,
            cell: ({ creationDate, creationAuthor }) => (
              <>
                <Moment at={creationDate} />
                <p className="faint">{creationAuthor.email}</p>
              </>
            ),
            sortBy: ({ creationDate }) => creationDate,
          },
          {
            key: 'published',
            title: t.versions.published,
            cell: ({ publicationDate, publicationAuthor }) => (
              <>
                <Moment at={publicationDate} />
                <p className="faint">{publicationAuthor?.email}</p>
              </>
            ),
            sortBy: ({ publicationDate }) => publicationDate,
          },
          mayEdit && {
            key: 'actions',
            title: t.versions.actions,
            cell: ({ name, status, config }) => (
              <div className="row-actions">
                <VersionActions
                  inRow
                  status={status}
                  isConfigured={config.completed}
                  subject={{
                    runtimeId: runtime.id,
                    versionName: name,
                    runtimeAddress: runtime.entrypointAddress,
                    publishedName: published,
                  }}
                />
              </div>
            ),
          },
        ]}
      />
    </>
  )
}

/** The status, and of one in error everything that is known of why. */
function Status({ status, statusReason, errors }: Version) {
  const reasons = [...new Set([statusReason, ...errors])].filter((reason) => reason !== '')
  return (
    <>
      <StatusChip status={status} />
      {reasons.map((reason) => (
        <p key={reason} className="reason">
          {reason}
        </p>
      ))}
    </>
  )
}

type CompareBarProps = {
  runtimeId: string
  versions: readonly Version[]
  chosen: readonly string[]
}

function CompareBar({ runtimeId, versions, chosen }: CompareBarProps) {
  // One that was deleted meanwhile is no choice any more.
  const [one, other] = versions.filter(({ name }) => chosen.includes(name))
  const pair = one === undefined || other === undefined ? null : inOrder(one, other)
  return (
    <div className="compare-bar" role="status">
      {pair === null ? (
        <span className="faint">
          {one === undefined ? t.compare.chooseTwo : t.compare.chooseOther(one.name)}
        </span>
      ) : (
        <Link className="button" href={paths.compare(runtimeId, pair)}>
          {t.compare.compareTwo(pair.from, pair.to)}
        </Link>
      )}
    </div>
  )
}
