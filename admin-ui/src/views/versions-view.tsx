import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { RuntimeWithVersions, type RuntimeFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { Page } from '../ui/page.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { DeleteRuntime } from './delete-runtime.tsx'
import { RollBack } from './roll-back.tsx'
import { VersionTable } from './version-table.tsx'

/** A runtime's versions: the published one first, then the newest. */
export function VersionsView({ runtimeId }: { runtimeId: string }) {
  const query = useQuery(RuntimeWithVersions, { id: runtimeId })
  const me = useMe()
  const mayEdit = hasLevel(me, 'MANAGER', runtimeId)
  const runtime = query.data?.runtime
  const actions = runtime !== undefined && (
    <>
      {hasLevel(me, 'ADMIN', null) && (
        <Link className="button" href={paths.access(runtimeId)}>
          {t.access.link}
        </Link>
      )}
      {mayEdit && <RollBack runtime={runtime} />}
      {mayEdit && (
        <Link className="button button-primary" href={paths.upload(runtimeId)}>
          {t.versions.upload}
        </Link>
      )}
    </>
  )
  const crumbs = [{ text: t.shell.runtimes, href: paths.runtimes() }]
  return (
    <Page title={runtime?.name ?? runtimeId} crumbs={crumbs} actions={actions}>
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

function RuntimeHead({ runtime }: { runtime: RuntimeFacts }) {
  return (
    <>
      <p className="lead">{runtime.description}</p>
      <p className="row">
        <span className="faint">{t.runtimes.address}</span>
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
