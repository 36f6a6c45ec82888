import { Link } from 'wouter'
import type { RuntimeFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { Moment } from '../ui/moment.tsx'
import { StatusChip } from '../ui/status-chip.tsx'

/** A runtime at a glance: what callers reach, and where. */
export function RuntimeTile({ runtime }: { runtime: RuntimeFacts }) {
  const { publishedVersion: published } = runtime
  return (
    <li className="tile">
      <div className="tile-head">
        <div>
          <h2>
            <Link href={paths.versions(runtime.id)}>{runtime.name}</Link>
          </h2>
          <p className="faint">
            <code>{runtime.id}</code>
          </p>
        </div>
        {published !== null && <StatusChip status={published.status} />}
      </div>
      <p className="clamp">{runtime.description}</p>
      <dl className="pairs">
        <dt>{t.runtimes.published}</dt>
        <dd>
          {published === null ? (
            <span className="faint">{t.runtimes.nothingPublished}</span>
          ) : (
            <Link href={paths.status(runtime.id, published.name)}>{published.name}</Link>
          )}
        </dd>
        <dt>{t.runtimes.address}</dt>
        <dd>
          {runtime.entrypointAddress === '' ? (
            <span className="faint">{t.versions.noAddress}</span>
          ) : (
            <>
              <code>{runtime.entrypointAddress}</code>{' '}
              <CopyButton text={runtime.entrypointAddress} />
            </>
          )}
        </dd>
        <dt>{t.runtimes.created}</dt>
        <dd>
          <Moment at={runtime.creationDate} /> · {runtime.creationAuthor.email}
        </dd>
      </dl>
    </li>
  )
}
