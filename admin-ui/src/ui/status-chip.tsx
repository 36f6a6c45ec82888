import type { NodeStatus, VersionStatus } from '../gen/documents.ts'
import { t } from '../texts/en.ts'

/** A status in a colour and in words; the colour alone says nothing. */
export function StatusChip({ status }: { status: VersionStatus | NodeStatus }) {
  return <span className={`chip chip-${status.toLowerCase()}`}>{t.status[status]}</span>
}
