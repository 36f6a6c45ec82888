import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { Runtimes, type RuntimeFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { Moment } from '../ui/moment.tsx'
import { Page } from '../ui/page.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { StatusChip } from '../ui/status-chip.tsx'

/** Where people land: every runtime, what it serves, and how that is doing. */
export function RuntimesView() {
  const query = useQuery(Runtimes, {})
  const mayAdd = hasLevel(useMe(), 'MANAGER', null)
  const add = mayAdd && (
    <Link className="button button-primary" href={paths.newRuntime()}>
      {t.runtimes.add}
    </Link>
  )
  return (
    <Page title={t.runtimes.title} actions={add}>
      <QueryView query={query}>
        {({ runtimes }) =>
          runtimes.length === 0 ? (
            <Face
              title={t.runtimes.emptyTitle}
              text={mayAdd ? t.runtimes.empty : t.runtimes.emptyForViewers}
            />
          ) : (
            <ul className="tiles">
              {runtimes.map((runtime) => (
                <RuntimeTile key={runtime.id} runtime={runtime} />
              ))}
            </ul>
          )
        }
      </QueryView>
    </Page>
  )
}

function RuntimeTile({ runtime }: { runtime: RuntimeFacts }) {
  const { publishedVersion: published } = runtime
  return (
    <li className="tile">
      <h2>
        <Link href={paths.versions(runtime.id)}>{runtime.name}</Link>
      </h2>
      <p className="faint">
        <code>{runtime.id}</code>
      </p>
      <p className="clamp">{runtime.description}</p>
      <dl className="pairs">
        <dt>{t.runtimes.published}</dt>
        <dd>
          {published === null ? (
            <span className="faint">{t.runtimes.nothingPublished}</span>
          ) : (
            <>
              <Link href={paths.status(runtime.id, published.name)}>{published.name}</Link>{' '}
              <StatusChip status={published.status} />
            </>
          )}
        </dd>
        {runtime.entrypointAddress !== '' && (
          <>
            <dt>{t.runtimes.address}</dt>
            <dd>
              <code>{runtime.entrypointAddress}</code>{' '}
              <CopyButton text={runtime.entrypointAddress} />
            </dd>
          </>
        )}
        <dt>{t.runtimes.created}</dt>
        <dd>
          <Moment at={runtime.creationDate} /> · {runtime.creationAuthor.email}
        </dd>
      </dl>
    </li>
  )
}
