import type { ReactNode } from 'react'
import type { AccessLevel } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Face, HomeLink } from '../ui/query-view.tsx'
import { hasLevel } from './access.ts'
import { useMe } from './use-me.ts'

type NeedsLevelProps = {
  level: AccessLevel
  /** Null = on the engine as a whole. */
  runtimeId: string | null
  children: ReactNode
}

/** A view that is nothing but an action: for those whom the engine would not refuse it. */
export function NeedsLevel({ level, runtimeId, children }: NeedsLevelProps) {
  if (hasLevel(useMe(), level, runtimeId)) return children
  return (
    <main className="page" id="main">
      <Face icon="locked" title={t.faces.noAccessTitle} text={t.faces.noAccess}>
        <HomeLink />
      </Face>
    </main>
  )
}
