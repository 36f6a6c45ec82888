import { toApiError } from '../api/api-error.ts'
import { queries } from '../api/use-query.ts'
import { errorText } from '../ui/error-note.tsx'
import { notify } from '../ui/toasts.ts'

/** Does something that asks nothing before, and says what came of it. */
export async function actAndTell(run: () => Promise<unknown>, done: string): Promise<void> {
  try {
    await run()
    notify({ kind: 'done', text: done })
    await queries.refreshAll()
  } catch (thrown) {
    notify({ kind: 'error', text: errorText(toApiError(thrown)) })
  }
}
