import { lazy, Suspense, useEffect } from 'react'
import { Redirect, Route, Router, Switch } from 'wouter'
import { uiBase } from './api/app-base.ts'
import { paths, patterns } from './path-builder.ts'
import { NeedsLevel } from './session/needs-level.tsx'
import { session, checkSession } from './session/session.ts'
import { SessionOver } from './session/session-over.tsx'
import { Shell } from './shell.tsx'
import { t } from './texts/en.ts'
import { ErrorBoundary } from './ui/error-boundary.tsx'
import { Button } from './ui/button.tsx'
import { Face, HomeLink, Loading } from './ui/query-view.tsx'
import { useStore } from './ui/store.ts'
import { NewRuntimeView } from './views/new-runtime-view.tsx'
import { RuntimesView } from './views/runtimes-view.tsx'
import { SignInView } from './views/sign-in-view.tsx'
import { VersionsView } from './views/versions-view.tsx'

// What the first page does not need comes when somebody goes there.
const VersionView = lazy(() =>
  import('./views/version-view.tsx').then(({ VersionView: view }) => ({ default: view })),
)
const UploadView = lazy(() =>
  import('./views/upload-view.tsx').then(({ UploadView: view }) => ({ default: view })),
)
const ProfileView = lazy(() =>
  import('./views/profile-view.tsx').then(({ ProfileView: view }) => ({ default: view })),
)
const UsersView = lazy(() =>
  import('./views/users-view.tsx').then(({ UsersView: view }) => ({ default: view })),
)
const SettingsView = lazy(() =>
  import('./views/settings-view.tsx').then(({ SettingsView: view }) => ({ default: view })),
)
const UserView = lazy(() =>
  import('./views/user-view.tsx').then(({ UserView: view }) => ({ default: view })),
)
const RuntimeAccessView = lazy(() =>
  import('./views/runtime-access-view.tsx').then(({ RuntimeAccessView: view }) => ({
    default: view,
  })),
)
const CompareView = lazy(() =>
  import('./compare/compare-view.tsx').then(({ CompareView: view }) => ({ default: view })),
)
const AuditView = lazy(() =>
  import('./views/audit-view.tsx').then(({ AuditView: view }) => ({ default: view })),
)

/** The router can't work this out for two parts that may be absent. */
type VersionParams = { runtimeId: string; name: string; view?: string; id?: string }

export function App() {
  return (
    <Router base={uiBase}>
      <ErrorBoundary>
        <Gate />
      </ErrorBoundary>
    </Router>
  )
}

/** Lets in who is signed in; everybody else signs in first, at the address they came for. */
function Gate() {
  const state = useStore(session)
  useEffect(() => void checkSession(), [])
  switch (state.kind) {
    case 'loading':
      return <Loading />
    case 'out':
      return <SignInView />
    case 'unreachable':
      return (
        <main className="page page-alone">
          <Face icon="lost" title={t.faces.unreachableTitle} text={t.faces.unreachable}>
            <Button onClick={() => void checkSession()}>{t.common.retry}</Button>
          </Face>
        </main>
      )
    case 'in':
      return (
        <Shell>
          <ErrorBoundary>
            <Suspense fallback={<Loading />}>
              <Views />
            </Suspense>
          </ErrorBoundary>
          {state.isOver && <SessionOver />}
        </Shell>
      )
  }
}

function Views() {
  return (
    <Switch>
      <Route path={patterns.runtimes} component={RuntimesView} />
      <Route path={patterns.newRuntime}>
        <NeedsLevel level="MANAGER" runtimeId={null}>
          <NewRuntimeView />
        </NeedsLevel>
      </Route>
      <Route path={patterns.runtime}>
        {({ runtimeId }) => <Redirect to={paths.versions(runtimeId)} replace />}
      </Route>
      <Route path={patterns.versions}>
        {({ runtimeId }) => <VersionsView runtimeId={runtimeId} />}
      </Route>
      <Route path={patterns.upload}>
        {({ runtimeId }) => (
          <NeedsLevel level="MANAGER" runtimeId={runtimeId}>
            <UploadView runtimeId={runtimeId} />
          </NeedsLevel>
        )}
      </Route>
      <Route path={patterns.access}>
        {({ runtimeId }) => <RuntimeAccessView runtimeId={runtimeId} />}
      </Route>
      <Route path={patterns.compare}>
        {({ runtimeId }) => <CompareView runtimeId={runtimeId} />}
      </Route>
      <Route<VersionParams> path={patterns.version}>
        {({ runtimeId, name, view, id }) => (
          <VersionView
            key={`${runtimeId}/${name}`}
            runtimeId={runtimeId}
            name={name}
            view={view ?? 'status'}
            id={id ?? null}
          />
        )}
      </Route>
      <Route path={patterns.profile} component={ProfileView} />
      <Route path={patterns.users} component={UsersView} />
      <Route path={patterns.user} component={UserView} />
      <Route path={patterns.settings} component={SettingsView} />
      <Route path={patterns.audit} component={AuditView} />
      <Route>
        <main className="page" id="main">
          <Face title={t.faces.notFoundTitle} text={t.faces.noPage}>
            <HomeLink />
          </Face>
        </main>
      </Route>
    </Switch>
  )
}
