import { paths } from '../path-builder.ts'
import type { OpenPlace } from './open-place.ts'
import type { ShortcutCommand } from './shortcuts.ts'

/** Where a key leads from what is open; null = it means nothing here. Pure. */
export function goTo(command: ShortcutCommand, place: OpenPlace): string | null {
  const { runtimeId, versionName } = place
  const ofRuntime = (path: (runtimeId: string) => string) =>
    runtimeId === null ? null : path(runtimeId)
  const ofVersion = (path: (runtimeId: string, name: string) => string) =>
    runtimeId === null || versionName === null ? null : path(runtimeId, versionName)
  switch (command) {
    case 'help':
    case 'palette':
      return null
    case 'runtimes':
      return paths.runtimes()
    case 'versions':
      return ofRuntime(paths.versions)
    case 'status':
      return ofVersion(paths.status)
    case 'requests':
      return ofVersion(paths.requests)
    case 'logs':
      return ofVersion((id, name) => paths.logs(id, name))
    case 'configuration':
      return ofVersion(paths.configuration)
    case 'compare':
      return ofRuntime((id) => paths.compare(id, versionName === null ? {} : { to: versionName }))
    case 'users':
      return paths.users()
    case 'audit':
      return paths.audit()
    case 'settings':
      return paths.settings()
    case 'profile':
      return paths.profile()
  }
}
