import { Component, type ReactNode } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { t } from '../texts/en.ts'
import { Button } from './button.tsx'
import { Face } from './query-view.tsx'

type State = { readonly error: ApiError | null }

/** A fault of this UI ends the view it is in, and says so; React knows no other form for this than a class. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null }

  static getDerivedStateFromError(error: unknown): State {
    return { error: toApiError(error) }
  }

  override render() {
    const { error } = this.state
    if (error === null) return this.props.children
    // A part that is loaded when somebody goes there is gone after an upgrade.
    const isOld = /dynamically imported module|module script|preload/i.test(error.message)
    return (
      <main className="page">
        <Face
          title={isOld ? t.faces.upgradedTitle : t.faces.faultTitle}
          text={isOld ? t.faces.upgraded : t.faces.fault(error.message)}
        >
          <Button onClick={() => location.reload()}>{t.common.reload}</Button>
        </Face>
      </main>
    )
  }
}
