import { useState } from 'react'
import type { ConfigurationResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Moment } from '../ui/moment.tsx'

type ConfigurationRowProps = {
  variable: ConfigurationResult['version']['config']['vars'][number]
  /** Null = nothing was typed, the stored value stays. */
  typed: string | null
  mayEdit: boolean
  /** Null takes back what was typed. */
  onType: (value: string | null) => void
}

/** One key. Its value is hidden while it is typed, and never comes back from the engine. */
export function ConfigurationRow({ variable, typed, mayEdit, onType }: ConfigurationRowProps) {
  const [isShown, setShown] = useState(false)
  const { key, type, isSet, updatedAt, fingerprint } = variable
  const label = t.configuration.newValue(key)
  const isFile = type === 'FILE'
  return (
    <tr>
      <th scope="row">
        <code>{key}</code>
      </th>
      <td>{isFile ? t.configuration.file : t.configuration.variable}</td>
      <td>
        <span className={isSet ? 'chip chip-started' : 'chip chip-warning'}>
          {isSet ? t.configuration.set : t.configuration.notSet}
        </span>
        {isSet && (
          <p className="faint">
            <Moment at={updatedAt} /> ·{' '}
            <code title={t.configuration.fingerprint}>{fingerprint}</code>
          </p>
        )}
      </td>
      <td className="config-value">
        {mayEdit ? (
          <>
            {isFile ? (
              <textarea
                aria-label={label}
                rows={typed === null ? 1 : 5}
                className={isShown ? 'mono' : 'mono masked'}
                spellCheck={false}
                autoComplete="off"
                placeholder={t.configuration.keep}
                value={typed ?? ''}
                onChange={(event) => onType(event.target.value)}
              />
            ) : (
              <input
                aria-label={label}
                type={isShown ? 'text' : 'password'}
                className="mono"
                spellCheck={false}
                autoComplete="new-password"
                placeholder={t.configuration.keep}
                value={typed ?? ''}
                onChange={(event) => onType(event.target.value)}
              />
            )}
            <span className="row">
              {isFile && <FileChooser label={label} onText={onType} />}
              {typed !== null && (
                <>
                  <Button kind="quiet" onClick={() => setShown(!isShown)}>
                    {isShown ? t.configuration.hide : t.configuration.show}
                  </Button>
                  <Button kind="quiet" onClick={() => onType(null)}>
                    {t.configuration.keepStored}
                  </Button>
                </>
              )}
              {isSet && typed === null && (
                <Button kind="quiet" onClick={() => onType('')}>
                  {t.configuration.unset}
                </Button>
              )}
              {typed === '' && <span className="faint">{t.configuration.willUnset}</span>}
            </span>
          </>
        ) : (
          <span className="faint">{t.configuration.hidden}</span>
        )}
      </td>
    </tr>
  )
}

function FileChooser({ label, onText }: { label: string; onText: (text: string) => void }) {
  return (
    <label className="button button-quiet file-button">
      {t.configuration.chooseFile}
      <input
        type="file"
        aria-label={label}
        onChange={(event) => {
          const file = event.target.files?.[0]
          if (file !== undefined) void file.text().then(onText)
          event.target.value = ''
        }}
      />
    </label>
  )
}
