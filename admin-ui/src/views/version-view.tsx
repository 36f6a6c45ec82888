import { lazy, Suspense, useEffect, useRef, type ReactNode } from 'react'
import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { VersionPage, type VersionPageResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Page } from '../ui/page.tsx'
import { Face, Loading, QueryView } from '../ui/query-view.tsx'
import { StatusChip } from '../ui/status-chip.tsx'
import { ConfigurationTab } from './configuration-tab.tsx'
import { PredictionsTab } from './predictions-tab.tsx'
import { RequestTab } from './request-tab.tsx'
import { RequestsTab } from './requests-tab.tsx'
import { StartProgress } from './start-progress.tsx'
import { VersionFactsList } from './version-facts-list.tsx'
import { VersionHeadActions } from './version-head-actions.tsx'

const StatusTab = lazy(() =>
  import('./status-tab.tsx').then(({ StatusTab: view }) => ({ default: view })),
)
const LogsTab = lazy(() =>
  import('../logs/logs-tab.tsx').then(({ LogsTab: view }) => ({ default: view })),
)

const TryItTab = lazy(() =>
  import('../try-it/try-it-tab.tsx').then(({ TryItTab: view }) => ({ default: view })),
)
const DocumentationTab = lazy(() =>
  import('./documentation-tab.tsx').then(({ DocumentationTab: view }) => ({ default: view })),
)

type VersionViewProps = { runtimeId: string; name: string; view: string; id: string | null }

/** One version: what it is, what can be done with it, and its views as tabs. */
export function VersionView({ runtimeId, name, view, id }: VersionViewProps) {
  const query = useQuery(VersionPage, { runtimeId, name })
  const data = query.data
  const actions = data !== undefined && (
    <VersionHeadActions
      page={data}
      isConfiguring={view === 'configuration'}
      isAside={view === 'try-it' && data.version.entrypointAddress !== ''}
    />
  )
  const crumbs = [
    { text: t.shell.runtimes, href: paths.runtimes() },
    { text: data?.runtime.name ?? runtimeId, href: paths.versions(runtimeId) },
  ]
  return (
    <Page
      title={name}
      crumbs={crumbs}
      mark={data !== undefined && <StatusChip status={data.version.status} />}
      actions={actions}
    >
      <QueryView query={query}>
        {(page) => (
          <>
            <StartProgress version={page.version} />
            <Tabs runtimeId={runtimeId} name={name} view={view} hasDoc={page.version.hasDoc} />
            <Suspense fallback={<Loading />}>{tab(page, { runtimeId, name, view, id })}</Suspense>
          </>
        )}
      </QueryView>
    </Page>
  )
}

function tab(page: VersionPageResult, { runtimeId, name, view, id }: VersionViewProps): ReactNode {
  const place = { runtimeId, versionName: name }
  switch (view) {
    case 'status':
      return (
        <>
          <StatusTab {...place} version={page.version} />
          <VersionFactsList version={page.version} />
        </>
      )
    case 'try-it':
      return <TryItTab {...place} version={page.version} rpcName={id} />
    case 'logs':
      return <LogsTab {...place} version={page.version} />
    case 'configuration':
      return <ConfigurationTab {...place} />
    case 'requests':
      return id === null ? (
        <RequestsTab {...place} version={page.version} />
      ) : (
        <RequestTab {...place} id={id} />
      )
    case 'predictions':
      return <PredictionsTab {...place} />
    case 'documentation':
      return <DocumentationTab {...place} />
    default:
      return <Face title={t.faces.notFoundTitle} text={t.faces.noPage} />
  }
}

type TabsProps = Omit<VersionViewProps, 'id'> & { hasDoc: boolean }

function Tabs({ runtimeId, name, view, hasDoc }: TabsProps) {
  const nav = useRef<HTMLElement>(null)
  // Where not all fit, the one that is shown does.
  useEffect(() => {
    const current = nav.current?.querySelector('[aria-current]')
    current?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [view])
  const tabs = [
    ['status', paths.status(runtimeId, name)],
    ['try-it', paths.tryIt(runtimeId, name)],
    ['requests', paths.requests(runtimeId, name)],
    ['logs', paths.logs(runtimeId, name)],
    ['configuration', paths.configuration(runtimeId, name)],
    ['predictions', paths.predictions(runtimeId, name)],
    ...(hasDoc ? ([['documentation', paths.documents(runtimeId, name)]] as const) : []),
  ] as const
  return (
    <nav ref={nav} className="tabs" aria-label={t.version.views}>
      {tabs.map(([key, href]) => (
        <Link key={key} href={href} aria-current={view === key ? 'page' : undefined}>
          {t.version.tabs[key]}
        </Link>
      ))}
    </nav>
  )
}
