import { useState } from 'react'
import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { Runtimes, type RuntimeFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { hasLevel } from '../session/access.ts'
import { useMe } from '../session/use-me.ts'
import { t } from '../texts/en.ts'
import { Page } from '../ui/page.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { RuntimeTile } from './runtime-tile.tsx'

/** Fewer are found by looking. */
const FILTERED_FROM = 7

/** Where people land: every runtime, what it serves, and how that is doing. */
export function RuntimesView() {
  const query = useQuery(Runtimes, {})
  const mayAdd = hasLevel(useMe(), 'MANAGER', null)
  const isEmpty = query.data?.runtimes.length === 0
  const add = mayAdd && (
    <Link className="button button-primary" href={paths.newRuntime()}>
      {t.runtimes.add}
    </Link>
  )
  return (
    <Page title={t.runtimes.title} actions={!isEmpty && add}>
      <QueryView query={query}>
        {({ runtimes }) =>
          isEmpty ? (
            <Face
              title={t.runtimes.emptyTitle}
              text={mayAdd ? t.runtimes.empty : t.runtimes.emptyForViewers}
            >
              {add}
            </Face>
          ) : (
            <Tiles runtimes={runtimes} />
          )
        }
      </QueryView>
    </Page>
  )
}

function Tiles({ runtimes }: { runtimes: readonly RuntimeFacts[] }) {
  const [wanted, setWanted] = useState('')
  const words = wanted.trim().toLowerCase()
  const shown = runtimes.filter(({ id, name, description }) =>
    `${id}\n${name}\n${description}`.toLowerCase().includes(words),
  )
  return (
    <>
      {runtimes.length >= FILTERED_FROM && (
        <input
          type="search"
          className="filter-input"
          aria-label={t.runtimes.filter}
          placeholder={t.runtimes.filter}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      )}
      {shown.length === 0 && <p className="faint">{t.runtimes.noneFound}</p>}
      <ul className="tiles">
        {shown.map((runtime) => (
          <RuntimeTile key={runtime.id} runtime={runtime} />
        ))}
      </ul>
    </>
  )
}
