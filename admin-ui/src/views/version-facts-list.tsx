import type { VersionFacts } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { Moment } from '../ui/moment.tsx'
import { IssueList, issueSummary } from './issue-list.tsx'

/** What does not change about a version, and what its validator had to say. */
export function VersionFactsList({ version }: { version: VersionFacts }) {
  const { publicationAuthor: publisher } = version
  return (
    <section className="panel version-facts">
      <h2>{t.version.facts}</h2>
      <p className="lead">{version.description}</p>
      <dl className="facts">
        <div>
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
        </div>
        <div>
          <dt>{t.versions.created}</dt>
          <dd>
            <Moment at={version.creationDate} />
            <p className="faint">{version.creationAuthor.email}</p>
          </dd>
        </div>
        <div>
          <dt>{t.versions.published}</dt>
          <dd>
            <Moment at={version.publicationDate} />
            {publisher !== null && <p className="faint">{publisher.email}</p>}
          </dd>
        </div>
        <div>
          <dt>{t.version.manifest}</dt>
          <dd>krtVersion {version.krtVersion}</dd>
        </div>
        <div>
          <dt>{t.version.digest}</dt>
          <dd>
            <code title={version.digest}>{version.digest.slice(0, 16)}…</code>{' '}
            <CopyButton text={version.digest} />
          </dd>
        </div>
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
