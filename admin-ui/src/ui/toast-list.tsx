import { t } from '../texts/en.ts'
import { useStore } from './store.ts'
import { dismiss, toasts } from './toasts.ts'

/** News of what was asked for, below the page's content and never over it. */
export function ToastList() {
  const all = useStore(toasts)
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map(({ id, kind, text }) => (
        <div key={id} className={`toast toast-${kind}`}>
          <span>{text}</span>
          <button type="button" className="close" onClick={() => dismiss(id)}>
            {t.common.close}
          </button>
        </div>
      ))}
    </div>
  )
}
