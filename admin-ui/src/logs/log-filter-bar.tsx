import { useEffect, useState } from 'react'
import type { VersionFacts } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { RANGES, type LogFilter } from './log-filter.ts'

/** Text is looked for when typing pauses. */
const TYPING_MS = 300

type LogFilterBarProps = {
  filter: LogFilter
  version: VersionFacts
  /** An empty value takes the filter away. */
  onChange: (name: keyof LogFilter, value: string) => void
}

export function LogFilterBar({ filter, version, onChange }: LogFilterBarProps) {
  const [text, setText] = useState(filter.text)
  useEffect(() => {
    if (text === filter.text) return
    const timer = setTimeout(() => onChange('text', text), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text, filter.text, onChange])
  return (
    <div className="toolbar" role="search">
      <label>
        <span className="hidden-text">{t.logs.search}</span>
        <input
          type="search"
          placeholder={t.logs.search}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <label>
        {t.logs.level}{' '}
        <select
          value={filter.level}
          onChange={(event) =>
            onChange('level', event.target.value === 'DEBUG' ? '' : event.target.value)
          }
        >
          {(['DEBUG', 'INFO', 'WARN', 'ERROR'] as const).map((level) => (
            <option key={level} value={level}>
              {t.logs.levels[level]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t.graph.node}{' '}
        <select value={filter.node} onChange={(event) => onChange('node', event.target.value)}>
          <option value="">{t.logs.allNodes}</option>
          <option value="entrypoint">{t.graph.entrypoint}</option>
          {version.workflows.map((workflow) => (
            <optgroup key={workflow.id} label={workflow.name}>
              {workflow.nodes.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      <label>
        {t.logs.range}{' '}
        <select
          value={filter.hours}
          onChange={(event) =>
            onChange('hours', event.target.value === '24' ? '' : event.target.value)
          }
        >
          {RANGES.map((hours) => (
            <option key={hours} value={hours}>
              {t.logs.ranges[hours]}
            </option>
          ))}
        </select>
      </label>
      {filter.request !== '' && (
        <Button onClick={() => onChange('request', '')}>
          {t.logs.onlyRequest(filter.request.slice(0, 8))} ✕
        </Button>
      )}
    </div>
  )
}
