import { Link, useLocation } from 'wouter'
import type { VersionPageResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { RollBack } from './roll-back.tsx'
import { VersionActions } from './version-actions.tsx'

type VersionHeadActionsProps = {
  page: VersionPageResult
  isConfiguring: boolean
  /** The view below has an action of its own that stands out. */
  isAside: boolean
}

/** What can be done with the version that is open. */
export function VersionHeadActions({ page, isConfiguring, isAside }: VersionHeadActionsProps) {
  const { runtime, version } = page
  const mayEdit = hasLevel(useMe(), 'MANAGER', runtime.id)
  const [, navigate] = useLocation()
  const published = runtime.publishedVersion?.name ?? null
  const isPublished = published === version.name
  return (
    <>
      {published !== null && !isPublished && (
        <Link
          className="button button-quiet"
          href={paths.compare(runtime.id, { from: published, to: version.name })}
        >
          {t.compare.withPublished(published)}
        </Link>
      )}
      {mayEdit && isPublished && <RollBack runtime={runtime} />}
      {mayEdit && (
        <VersionActions
          status={version.status}
          isConfigured={version.config.completed}
          isConfiguring={isConfiguring}
          isAside={isAside}
          subject={{
            runtimeId: runtime.id,
            versionName: version.name,
            runtimeAddress: runtime.entrypointAddress,
            publishedName: published,
          }}
          onDone={(operation) => {
            if (operation === 'delete') navigate(paths.versions(runtime.id))
          }}
        />
      )}
    </>
  )
}
