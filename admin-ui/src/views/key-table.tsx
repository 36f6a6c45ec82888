import { useState } from 'react'
import type { ConfigurationResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { TableFrame } from '../ui/table-frame.tsx'
import { ConfigurationRow } from './configuration-row.tsx'

/** Fewer keys are found by looking. */
const FILTERED_FROM = 8

type KeyTableProps = {
  variables: ConfigurationResult['version']['config']['vars']
  /** What was typed, by key. */
  typed: ReadonlyMap<string, string>
  mayEdit: boolean
  /** Null takes back what was typed. */
  onType: (key: string, value: string | null) => void
}

/** The keys of a configuration, with their state and a place for a new value. */
export function KeyTable({ variables, typed, mayEdit, onType }: KeyTableProps) {
  const [wanted, setWanted] = useState('')
  const words = wanted.trim().toLowerCase()
  return (
    <>
      {variables.length >= FILTERED_FROM && (
        <input
          type="search"
          className="filter-input"
          aria-label={t.configuration.filter}
          placeholder={t.configuration.filter}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          onKeyDown={(event) => {
            // It would save what was typed below.
            if (event.key === 'Enter') event.preventDefault()
          }}
        />
      )}
      <TableFrame label={t.version.tabs.configuration}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.configuration.key}</th>
              <th scope="col">{t.configuration.type}</th>
              <th scope="col">{t.configuration.state}</th>
              <th scope="col">{t.configuration.value}</th>
            </tr>
          </thead>
          <tbody>
            {variables
              .filter(({ key }) => key.toLowerCase().includes(words))
              .map((variable) => (
                <ConfigurationRow
                  key={variable.key}
                  variable={variable}
                  typed={typed.get(variable.key) ?? null}
                  mayEdit={mayEdit}
                  onType={(value) => onType(variable.key, value)}
                />
              ))}
          </tbody>
        </table>
      </TableFrame>
    </>
  )
}
