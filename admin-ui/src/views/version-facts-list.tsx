import type { VersionFacts } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { Moment } from '../ui/moment.tsx'
import { IssueList, issueSummary } from './issue-list.tsx'

/** What does not change about a version, and what its validator had to say. */
export function VersionFactsList({ version }: { version: VersionFacts }) {
  const { publicationAuthor: publisher } = version
  return (
    <section className="version-facts">
      <h2>{t.version.facts}</h2>
      <p>{version.description}</p>
      <dl className="pairs">
        <dt>{t.version.address}</dt>
        <dd>
          {version.entrypointAddress === '' ? (
            <span className="faint">{t.version.noAddress}</span>
          ) : (
            <>
              <code>{version.entrypointAddress}</code>{' '}
              <CopyButton text={version.entrypointAddress} />
            </>
          )}
        </dd>
        <dt>{t.versions.created}</dt>
        <dd>
          <Moment at={version.creationDate} /> · {version.creationAuthor.email}
        </dd>
        <dt>{t.versions.published}</dt>
        <dd>
          <Moment at={version.publicationDate} />
          {publisher !== null && ` · ${publisher.email}`}
        </dd>
        <dt>{t.version.manifest}</dt>
        <dd>krtVersion {version.krtVersion}</dd>
        <dt>{t.version.digest}</dt>
        <dd>
          <code title={version.digest}>{version.digest.slice(0, 16)}…</code>{' '}
          <CopyButton text={version.digest} />
        </dd>
      </dl>
      {version.issues.length > 0 && (
        <details open={version.issues.some(({ level }) => level !== 'info')}>
          <summary>
            {t.version.findings}: {issueSummary(version.issues)}
          </summary>
          <IssueList issues={version.issues} />
        </details>
      )}
    </section>
  )
}
