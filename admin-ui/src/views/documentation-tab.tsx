import { useEffect, useState, type ReactNode } from 'react'
import Markdown from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { Link, useSearchParams } from 'wouter'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { apiUrl } from '../api/app-base.ts'
import { send } from '../api/send.ts'
import { useQuery } from '../api/use-query.ts'
import { Documents, type DocumentsResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { ErrorNote } from '../ui/error-note.tsx'
import { Face, Loading, QueryView } from '../ui/query-view.tsx'
import { readDocumentLink } from './document-links.ts'

type Place = { runtimeId: string; versionName: string }
type Document = DocumentsResult['documents'][number]

/** What the bundle brings for people to read. Markup in it is text: a document is made of elements, never of HTML. */
export function DocumentationTab(place: Place) {
  const query = useQuery(Documents, place)
  const [search] = useSearchParams()
  return (
    <QueryView query={query}>
      {({ documents }) => {
        const readable = documents.filter(({ isDashboard }) => !isDashboard)
        const shown =
          readable.find(({ path }) => path === search.get('path')) ??
          readable.find(({ path }) => path === 'docs/README.md') ??
          readable.find(isMarkdown) ??
          readable[0]
        if (shown === undefined)
          return <Face title={t.documentation.emptyTitle} text={t.documentation.empty} />
        return (
          <div className="documentation">
            <nav aria-label={t.documentation.list}>
              <ul>
                {readable.map(({ path }) => (
                  <li key={path}>
                    <Link
                      href={paths.documents(place.runtimeId, place.versionName, path)}
                      aria-current={path === shown.path ? 'page' : undefined}
                    >
                      {path.replace(/^docs\//, '')}
                    </Link>
                  </li>
                ))}
              </ul>
            </nav>
            <article className="document panel">
              {isMarkdown(shown) ? (
                <MarkdownDocument key={shown.path} document={shown} place={place} />
              ) : shown.contentType.startsWith('image/') && !shown.path.endsWith('.svg') ? (
                <img src={documentUrl(shown.url)} alt={shown.path} />
              ) : (
                <a href={documentUrl(shown.url)} target="_blank" rel="noreferrer">
                  {t.documentation.open(shown.path)}
                </a>
              )}
            </article>
          </div>
        )
      }}
    </QueryView>
  )
}

function MarkdownDocument({ document, place }: { document: Document; place: Place }) {
  const [text, setText] = useState<string | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  useEffect(() => {
    const left = new AbortController()
    send(document.url.replace(/^\//, ''), { signal: left.signal })
      .then((answer) => answer.text())
      .then(setText)
      .catch((thrown: unknown) => {
        if (!left.signal.aborted) setError(toApiError(thrown))
      })
    return () => left.abort()
  }, [document.url])
  if (error !== null) return <ErrorNote error={error} />
  if (text === null) return <Loading />
  return (
    <Markdown
      remarkPlugins={[remarkGfm]}
      // What may be led to is decided below, for each kind of element by itself.
      urlTransform={(url) => url}
      components={{
        a: ({ href, children }) => (
          <DocumentAnchor href={href ?? ''} from={document.path} place={place}>
            {children}
          </DocumentAnchor>
        ),
        img: ({ src, alt }) => {
          const link = readDocumentLink(typeof src === 'string' ? src : '', document.path)
          // A picture from elsewhere would tell that place who reads this.
          return link.kind === 'document' ? (
            <img src={pictureUrl(place, link.path)} alt={alt ?? ''} />
          ) : (
            <span className="faint">{alt}</span>
          )
        },
      }}
    >
      {text}
    </Markdown>
  )
}

type AnchorProps = { href: string; from: string; place: Place; children?: ReactNode }

function DocumentAnchor({ href, from, place, children }: AnchorProps) {
  const link = readDocumentLink(href, from)
  if (link.kind === 'nothing') return <span>{children}</span>
  if (link.kind === 'outside')
    return (
      <a href={link.href} target="_blank" rel="noreferrer noopener">
        {children}
      </a>
    )
  return (
    <Link href={paths.documents(place.runtimeId, place.versionName, link.path)}>{children}</Link>
  )
}

function isMarkdown({ contentType }: Document): boolean {
  return contentType.startsWith('text/markdown')
}

/** @param url path on the API, as it says it. */
function documentUrl(url: string): string {
  return apiUrl(url.replace(/^\//, ''))
}

function pictureUrl({ runtimeId, versionName }: Place, path: string): string {
  const version = `${encodeURIComponent(runtimeId)}/versions/${encodeURIComponent(versionName)}`
  return apiUrl(`api/v1/runtimes/${version}/document?path=${encodeURIComponent(path)}`)
}
