import { useState } from 'react'
import { t } from '../texts/en.ts'
import { useStore } from './store.ts'
import { dismiss, toasts, type Toast } from './toasts.ts'

/** News of what was asked for, below the page's content and never over it. */
export function ToastList() {
  const all = useStore(toasts)
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map((toast) => (
        <ToastItem key={toast.id} toast={toast} />
      ))}
    </div>
  )
}

function ToastItem({ toast: { id, kind, text, action } }: { toast: Toast }) {
  const [isBusy, setBusy] = useState(false)

  async function run(): Promise<void> {
    setBusy(true)
    if ((await action?.run()) === true) dismiss(id)
    setBusy(false)
  }

  return (
    <div className={`toast toast-${kind}`}>
      <span>{text}</span>
      {action !== undefined && (
        <button type="button" className="link" disabled={isBusy} onClick={() => void run()}>
          {action.text}
        </button>
      )}
      <button type="button" className="close" onClick={() => dismiss(id)}>
        {t.common.close}
      </button>
    </div>
  )
}
