import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'

export type MetadataEntry = readonly [name: string, value: string]

const PREFIX = 'x-krt-'
const NAME = /^x-krt-[a-z0-9_-]+$/

/** Whether an entry can be sent as a header. */
export function isMetadata([name, value]: MetadataEntry): boolean {
  return NAME.test(name) && /^[\x20-\x7e]*$/.test(value)
}

type MetadataFormProps = {
  entries: readonly MetadataEntry[]
  onChange: (entries: readonly MetadataEntry[]) => void
}

export function MetadataForm({ entries, onChange }: MetadataFormProps) {
  return (
    <fieldset className="part">
      <legend>{t.tryIt.metadata}</legend>
      <p className="hint">{t.tryIt.metadataHint}</p>
      {entries.map((entry, index) => {
        const [name, value] = entry
        const isWrong = !isMetadata(entry)
        return (
          <div key={index} className="part-item part-entry">
            <input
              aria-label={t.tryIt.metadataName}
              aria-invalid={isWrong}
              value={name}
              onChange={({ target }) => onChange(entries.with(index, [target.value, value]))}
            />
            <input
              aria-label={t.tryIt.metadataValue}
              value={value}
              onChange={({ target }) => onChange(entries.with(index, [name, target.value]))}
            />
            <button
              type="button"
              className="link"
              aria-label={t.tryIt.remove(name)}
              onClick={() => onChange(entries.toSpliced(index, 1))}
            >
              ×
            </button>
            {isWrong && <p className="hint hint-error">{t.tryIt.badMetadata}</p>}
          </div>
        )
      })}
      <Button className="add-part" onClick={() => onChange([...entries, [PREFIX, '']])}>
        {t.tryIt.addMetadata}
      </Button>
    </fieldset>
  )
}
