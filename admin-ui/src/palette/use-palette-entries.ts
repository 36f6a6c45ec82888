import { useLocation } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { Runtimes, RuntimeWithVersions } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { useStore } from '../ui/store.ts'
import { openHelp } from './opened-tool.ts'
import { offeredActions } from './offered-actions.ts'
import { useOpenPlace } from './open-place.ts'

export type PaletteEntry = {
  readonly id: string
  /** What it is searched by. */
  readonly text: string
  /** What kind of thing it is. */
  readonly group: string
  readonly run: () => void
}

/** Everything that can be reached or done from here, what is nearest first. */
export function usePaletteEntries(): readonly PaletteEntry[] {
  const { runtimeId, versionName } = useOpenPlace()
  const [, navigate] = useLocation()
  const actions = useStore(offeredActions)
  const link = (group: string, text: string, href: string): PaletteEntry => ({
    id: href,
    group,
    text,
    run: () => navigate(href),
  })
  return [
    ...actions.map((action) => ({ ...action, group: t.palette.groups.action })),
    ...(runtimeId !== null && versionName !== null
      ? viewsOfVersion(runtimeId, versionName).map(([text, href]) =>
          link(t.palette.groups.view, `${versionName}: ${text}`, href),
        )
      : []),
    ...useVersions(runtimeId).map(([text, href]) => link(t.palette.groups.version, text, href)),
    ...useRuntimes().map(([text, href]) => link(t.palette.groups.runtime, text, href)),
    ...useViews().map(([text, href]) => link(t.palette.groups.view, text, href)),
    { id: 'help', group: t.palette.groups.view, text: t.shortcuts.title, run: openHelp },
  ]
}

type Target = readonly [text: string, href: string]

function viewsOfVersion(runtimeId: string, name: string): readonly Target[] {
  return [
    [t.version.tabs.status, paths.status(runtimeId, name)],
    [t.version.tabs['try-it'], paths.tryIt(runtimeId, name)],
    [t.version.tabs.requests, paths.requests(runtimeId, name)],
    [t.version.tabs.logs, paths.logs(runtimeId, name)],
    [t.version.tabs.configuration, paths.configuration(runtimeId, name)],
    [t.version.tabs.predictions, paths.predictions(runtimeId, name)],
    [t.compare.title, paths.compare(runtimeId, { to: name })],
  ]
}

/** Versions of the runtime that is open; without one there are none to read. */
function useVersions(runtimeId: string | null): readonly Target[] {
  const { data } = useQuery(RuntimeWithVersions, runtimeId === null ? null : { id: runtimeId })
  if (runtimeId === null) return []
  return (data?.versions ?? []).map(({ name }) => [name, paths.status(runtimeId, name)])
}

function useRuntimes(): readonly Target[] {
  const { data } = useQuery(Runtimes, {})
  return (data?.runtimes ?? []).flatMap(({ id, name, publishedVersion }): readonly Target[] => [
    [name, paths.versions(id)],
    ...(publishedVersion === null
      ? []
      : [[`${name}: ${publishedVersion.name}`, paths.status(id, publishedVersion.name)] as const]),
  ])
}

function useViews(): readonly Target[] {
  const me = useMe()
  const isAdmin = hasLevel(me, 'ADMIN', null)
  return [
    [t.shell.runtimes, paths.runtimes()],
    ...(hasLevel(me, 'MANAGER', null)
      ? [[t.runtimes.add, paths.newRuntime()] satisfies Target]
      : []),
    ...(isAdmin
      ? ([
          [t.shell.users, paths.users()],
          [t.shell.settings, paths.settings()],
        ] satisfies Target[])
      : []),
    ...(me.accessLevel === 'VIEWER' ? [] : [[t.shell.audit, paths.audit()] satisfies Target]),
    [t.profile.title, paths.profile()],
  ]
}
