import { useEffect, useRef, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import type { ApiError } from './api/api-error.ts'
import { queries } from './api/use-query.ts'
import { WatchVersion } from './gen/documents.ts'
import { liveState } from './live/socket.ts'
import { useSubscription } from './live/use-subscription.ts'
import { Keyboard } from './palette/keyboard.tsx'
import { openPalette } from './palette/opened-tool.ts'
import { paths } from './path-builder.ts'
import { hasLevel } from './session/access.ts'
import { signOut } from './session/session.ts'
import { useMe } from './session/use-me.ts'
import { t } from './texts/en.ts'
import { errorText } from './ui/error-note.tsx'
import { BrandMark, Icon } from './ui/icon.tsx'
import { LiveMark } from './live/live-mark.tsx'
import { formatMoment, setZone, zone, zoneName } from './ui/moment.tsx'
import { notify } from './ui/toasts.ts'
import { useStore } from './ui/store.ts'
import { setTheme, theme, type Theme } from './ui/theme.ts'
import { ToastList } from './ui/toast-list.tsx'

/** A start tells of each node: so much of it becomes one reading. */
const GATHER_MS = 300

/** Frame of every view of somebody who is signed in. */
export function Shell({ children }: { children: ReactNode }) {
  const liveError = useLiveVersions()
  return (
    <>
      <a className="skip" href="#main">
        {t.shell.skip}
      </a>
      <Header />
      <StaleBanner liveError={liveError} />
      {children}
      <Footer />
      <ToastList />
      <Keyboard />
    </>
  )
}

/** What changes in the engine changes on the page. */
function useLiveVersions(): ApiError | null {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  const error = useSubscription(WatchVersion, {}, () => {
    timer.current ??= setTimeout(() => {
      timer.current = null
      void queries.refreshAll()
    }, GATHER_MS)
  })
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current)
      timer.current = null
    },
    [],
  )
  return error
}

function Header() {
  const me = useMe()
  const isAdmin = hasLevel(me, 'ADMIN', null)
  const seesAudit = me.accessLevel !== 'VIEWER'
  return (
    <header className="header">
      <Link href={paths.runtimes()} className="brand">
        <BrandMark /> KRE
      </Link>
      <nav aria-label={t.shell.navigation}>
        <NavLink href={paths.runtimes()} text={t.shell.runtimes} />
        {isAdmin && <NavLink href={paths.users()} text={t.shell.users} />}
        {seesAudit && <NavLink href={paths.audit()} text={t.shell.audit} />}
        {isAdmin && <NavLink href={paths.settings()} text={t.shell.settings} />}
      </nav>
      <div className="header-end">
        <button type="button" className="palette-button" onClick={openPalette}>
          {t.palette.open} <kbd>Ctrl K</kbd>
        </button>
        <NavLink href={paths.profile()} text={me.email} />
        <button type="button" className="link" onClick={() => void leave()}>
          {t.shell.signOut}
        </button>
      </div>
    </header>
  )
}

async function leave(): Promise<void> {
  try {
    await signOut()
  } catch {
    notify({ kind: 'error', text: t.errors.unreachable })
  }
}

function NavLink({ href, text }: { href: string; text: string }) {
  const [location] = useLocation()
  const isHere =
    href === '/'
      ? location === '/' || location.startsWith('/runtimes') || location === paths.newRuntime()
      : location === href || location.startsWith(`${href}/`)
  return (
    <Link href={href} className="nav-link" aria-current={isHere ? 'page' : undefined}>
      <span>{text}</span>
    </Link>
  )
}

/** Says that what is shown may be old, since when, and that it mends itself. */
function StaleBanner({ liveError }: { liveError: ApiError | null }) {
  const live = useStore(liveState)
  const shownZone = useStore(zone)
  return (
    <div role="status">
      {live.kind === 'lost' && (
        <p className="banner">
          <Icon name="lost" />
          {t.shell.stale(formatMoment(new Date(live.since).toISOString(), shownZone, 'full'))}
        </p>
      )}
      {live.kind !== 'lost' && liveError !== null && (
        <p className="banner">
          <Icon name="lost" />
          {t.shell.notLive(errorText(liveError))}
        </p>
      )}
    </div>
  )
}

function Footer() {
  const shownZone = useStore(zone)
  const shownTheme = useStore(theme)
  return (
    <footer className="footer">
      <LiveMark />
      <label>
        {t.shell.zone}{' '}
        <select
          value={shownZone}
          onChange={(event) => setZone(event.target.value === 'UTC' ? 'UTC' : 'local')}
        >
          <option value="local">{zoneName('local')}</option>
          <option value="UTC">UTC</option>
        </select>
      </label>
      <label>
        {t.shell.theme}{' '}
        <select value={shownTheme} onChange={(event) => setTheme(event.target.value as Theme)}>
          <option value="system">{t.shell.themes.system}</option>
          <option value="light">{t.shell.themes.light}</option>
          <option value="dark">{t.shell.themes.dark}</option>
        </select>
      </label>
    </footer>
  )
}
