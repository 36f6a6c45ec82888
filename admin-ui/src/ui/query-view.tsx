import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { ApiError } from '../api/api-error.ts'
import type { Query } from '../api/query-cache.ts'
import { t } from '../texts/en.ts'
import { Button } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'
import { ErrorNote, errorText } from './error-note.tsx'

const GONE = new Set(['NOT_FOUND', 'PERMISSION_DENIED'])

type QueryViewProps<Result> = {
  query: Query<Result> & { readonly refresh: () => Promise<void> }
  children: (data: Result) => ReactNode
}

/** The faces of a view: loading, failed, refused, not found, and what it is for. */
export function QueryView<Result>({ query, children }: QueryViewProps<Result>) {
  const { data, error, refresh } = query
  // What was there is shown on, unless it is gone or not for these eyes any more.
  if (data !== undefined && !GONE.has(error?.code ?? ''))
    return (
      <>
        {error !== null && error.code !== 'UNREACHABLE' && <ErrorNote error={error} />}
        {children(data)}
      </>
    )
  if (error === null) return <Loading />
  return <Failure error={error} onRetry={refresh} />
}

/** Appears after a moment, so that quick answers do not flicker. */
export function Loading() {
  return (
    <div className="loading" role="status">
      {t.common.loading}
    </div>
  )
}

type FailureProps = { error: ApiError; onRetry: () => Promise<void> }

function Failure({ error, onRetry }: FailureProps) {
  if (error.code === 'NOT_FOUND')
    return (
      <Face title={t.faces.notFoundTitle} text={errorText(error)}>
        <HomeLink />
      </Face>
    )
  if (error.code === 'PERMISSION_DENIED')
    return (
      <Face
        icon="locked"
        title={t.faces.noAccessTitle}
        text={`${errorText(error)}. ${t.faces.noAccess}`}
      >
        <HomeLink />
      </Face>
    )
  return (
    <Face
      icon="lost"
      title={error.code === 'UNREACHABLE' ? t.faces.unreachableTitle : t.faces.failedTitle}
      text={errorText(error)}
    >
      {error.requestId !== '' && <p className="faint">{t.errors.requestId(error.requestId)}</p>}
      <Button onClick={() => void onRetry()}>{t.common.retry}</Button>
    </Face>
  )
}

/** To the front page, out of a place where there is nothing to do. */
export function HomeLink() {
  return (
    <Link className="button" href="/">
      {t.faces.home}
    </Link>
  )
}

type FaceProps = { title: string; text: string; icon?: IconName; children?: ReactNode }

/** A page, or a part of one, that has something to say instead of something to show. */
export function Face({ title, text, icon = 'nothing', children }: FaceProps) {
  return (
    <div className="face">
      <Icon name={icon} />
      <h2>{title}</h2>
      <p>{text}</p>
      {children}
    </div>
  )
}
