import { useState } from 'react'
import { t } from '../texts/en.ts'
import { CopyButton } from '../ui/code.tsx'
import { SNIPPET_LANGUAGES, snippetOf, type Call, type SnippetLanguage } from './snippets.ts'

/** The call as code that runs. */
export function SnippetsPanel({ call }: { call: Call }) {
  const [language, setLanguage] = useState<SnippetLanguage>('krectl')
  const text = snippetOf(language, call)
  return (
    <section className="panel try-panel" aria-label={t.tryIt.code}>
      <div className="details-head">
        <h2>{t.tryIt.code}</h2>
        <div className="switch" role="group" aria-label={t.tryIt.code}>
          {SNIPPET_LANGUAGES.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === language}
              onClick={() => setLanguage(one)}
            >
              {t.tryIt.languages[one]}
            </button>
          ))}
        </div>
      </div>
      <div className="json-answer">
        <pre tabIndex={0}>{text}</pre>
        <CopyButton text={text} name={t.tryIt.languages[language]} />
      </div>
      {language !== 'krectl' && <p className="hint">{t.tryIt.codeReach}</p>}
    </section>
  )
}
