import type { ReactNode } from 'react'
import { Link } from 'wouter'

/** The link that a whole row of a table stands for: a click anywhere in it that means nothing else follows it. */
export function RowLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link href={href} className="row-link">
      {children}
    </Link>
  )
}
