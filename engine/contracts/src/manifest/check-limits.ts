import type { DocumentPath } from './document-path.ts'
import type { Report } from './issue-collector.ts'

/** Reports a list that is longer than `max`. */
export function checkCount(
  list: readonly unknown[] | undefined,
  max: number,
  what: { path: DocumentPath; subject: string; noun: string },
  report: Report,
): void {
  if (list === undefined || list.length <= max) return
  const message = `${what.subject}${list.length} ${what.noun}, ${max} are allowed`
  report.add({ code: 'LIMIT_EXCEEDED', path: what.path, message })
}
