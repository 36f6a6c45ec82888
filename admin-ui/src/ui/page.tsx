import { useEffect, useRef, type ReactNode } from 'react'
import { Link } from 'wouter'
import { t } from '../texts/en.ts'

export type Crumb = { readonly text: string; readonly href: string }

type PageProps = {
  title: string
  /** Stands beside the title, for example a status. */
  mark?: ReactNode
  crumbs?: readonly Crumb[]
  /** What can be done here; at most one of it primary. */
  actions?: ReactNode
  children: ReactNode
}

/** Whether a page was shown before: then a new one takes the focus, so that readers hear where they are. */
let isFirst = true

export function Page({ title, mark, crumbs = [], actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · KRE`
    if (!isFirst) heading.current?.focus({ preventScroll: true })
    isFirst = false
  }, [title])
  return (
    <main className="page" id="main">
      {crumbs.length > 0 && (
        <nav className="crumbs" aria-label={t.common.crumbs}>
          <ol>
            {crumbs.map(({ text, href }) => (
              <li key={href}>
                <Link href={href}>{text}</Link>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <div className="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {mark}
        {actions !== undefined && <div className="actions">{actions}</div>}
      </div>
      {children}
    </main>
  )
}
