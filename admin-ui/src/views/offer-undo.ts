import { toApiError } from '../api/api-error.ts'
import { runOperation } from '../api/run-operation.ts'
import { queries } from '../api/use-query.ts'
import { PublishVersion, UnpublishVersion } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { errorText } from '../ui/error-note.tsx'
import { notify } from '../ui/toasts.ts'
import { COMMENT_CHARS_MAX } from './comment-field.tsx'
import type { Undo } from './undo-operation.ts'

/** Says what was done, and stays with a way back until somebody uses or closes it. */
export function offerUndo(
  text: string,
  { runtimeId, comment }: { runtimeId: string; comment: string },
  undo: Undo,
): void {
  notify({
    kind: 'done',
    topic: topicOf(runtimeId),
    text,
    action: { text: t.undo.verb, run: () => takeBack(runtimeId, comment, undo) },
  })
}

/** Only the last change of what callers get can be taken back: offers of before are void. */
const topicOf = (runtimeId: string): string => `published ${runtimeId}`

/** @returns whether it was taken back. */
async function takeBack(runtimeId: string, comment: string, undo: Undo): Promise<boolean> {
  const { operation, versionName, ifPublished } = undo
  const input = {
    runtimeId,
    versionName,
    comment: Array.from(t.undo.comment(comment)).slice(0, COMMENT_CHARS_MAX).join(''),
  }
  try {
    if (operation === 'unpublish') await runOperation(UnpublishVersion, { input })
    else await runOperation(PublishVersion, { input: { ...input, ifPublished } })
    notify({
      kind: 'done',
      topic: topicOf(runtimeId),
      text: t.undo.done(operation, versionName),
    })
    return true
  } catch (thrown) {
    const error = toApiError(thrown)
    notify({ kind: 'error', text: t.undo.failed(errorText(error)) })
    return false
  } finally {
    await queries.refreshAll()
  }
}
