import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { RuntimeWithVersions, type RuntimeWithVersionsResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { Moment } from '../ui/moment.tsx'
import { Page } from '../ui/page.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { StatusChip } from '../ui/status-chip.tsx'
import { DeleteRuntime } from './delete-runtime.tsx'
import { VersionActions } from './version-actions.tsx'

type Version = RuntimeWithVersionsResult['versions'][number]
type Runtime = RuntimeWithVersionsResult['runtime']

/** A runtime's versions: the published one first, then the newest. */
export function VersionsView({ runtimeId }: { runtimeId: string }) {
  const query = useQuery(RuntimeWithVersions, { id: runtimeId })
  const me = useMe()
  const mayEdit = hasLevel(me, 'MANAGER', runtimeId)
  const runtime = query.data?.runtime
  const upload = mayEdit && runtime !== undefined && (
    <Link className="button button-primary" href={paths.upload(runtimeId)}>
      {t.versions.upload}
    </Link>
  )
  const crumbs = [{ text: t.shell.runtimes, href: paths.runtimes() }]
  return (
    <Page title={runtime?.name ?? runtimeId} crumbs={crumbs} actions={upload}>
      <QueryView query={query}>
        {(data) => (
          <>
            <RuntimeHead runtime={data.runtime} />
            {data.versions.length === 0 ? (
              <Face
                title={t.versions.emptyTitle}
                text={mayEdit ? t.versions.empty : t.versions.emptyForViewers}
              />
            ) : (
              <VersionTable runtime={data.runtime} versions={data.versions} mayEdit={mayEdit} />
            )}
            {hasLevel(me, 'MANAGER', null) && <DeleteRuntime runtime={data.runtime} />}
          </>
        )}
      </QueryView>
    </Page>
  )
}

function RuntimeHead({ runtime }: { runtime: Runtime }) {
  return (
    <>
      <p>{runtime.description}</p>
      <p className="row">
        <span>{t.runtimes.address}</span>
        {runtime.entrypointAddress === '' ? (
          <span className="faint">{t.versions.noAddress}</span>
        ) : (
          <span>
            <code>{runtime.entrypointAddress}</code> <CopyButton text={runtime.entrypointAddress} />
          </span>
        )}
      </p>
    </>
  )
}

type VersionTableProps = { runtime: Runtime; versions: readonly Version[]; mayEdit: boolean }

function VersionTable({ runtime, versions, mayEdit }: VersionTableProps) {
  const published = runtime.publishedVersion?.name ?? null
  const sorted = versions.toSorted(
    (a, b) => Number(b.name === published) - Number(a.name === published),
  )
  return (
    <div className="table-frame">
      <table className="versions">
        <thead>
          <tr>
            <th scope="col">{t.versions.version}</th>
            <th scope="col">{t.versions.status}</th>
            <th scope="col">{t.versions.created}</th>
            <th scope="col">{t.versions.published}</th>
            {mayEdit && <th scope="col">{t.versions.actions}</th>}
          </tr>
        </thead>
        <tbody>
          {sorted.map((version) => (
            <tr key={version.id} className={version.name === published ? 'is-published' : ''}>
              <th scope="row">
                <Link href={paths.status(runtime.id, version.name)}>{version.name}</Link>
                <p className="faint clamp">{version.description}</p>
              </th>
              <td>
                <StatusChip status={version.status} />
                {version.statusReason !== '' && <p className="reason">{version.statusReason}</p>}
              </td>
              <td>
                <Moment at={version.creationDate} />
                <p className="faint">{version.creationAuthor.email}</p>
              </td>
              <td>
                <Moment at={version.publicationDate} />
                <p className="faint">{version.publicationAuthor?.email}</p>
              </td>
              {mayEdit && (
                <td>
                  <div className="row-actions">
                    <VersionActions
                      inRow
                      status={version.status}
                      isConfigured={version.config.completed}
                      subject={{
                        runtimeId: runtime.id,
                        versionName: version.name,
                        runtimeAddress: runtime.entrypointAddress,
                        publishedName: published,
                      }}
                    />
                  </div>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
