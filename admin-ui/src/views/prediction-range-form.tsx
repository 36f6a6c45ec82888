import { useState } from 'react'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { zone, type Zone } from '../ui/moment.tsx'
import { useStore } from '../ui/store.ts'
import { fromMinuteField, toMinuteField } from '../ui/zoned-time.ts'
import { isBackwards, RANGES, wholeMinutesOf, type PredictionRange } from './prediction-range.ts'

/** Stands in the list of ranges, for two moments. */
const BETWEEN = 'between'

type PredictionRangeFormProps = {
  range: PredictionRange
  onChange: (range: PredictionRange) => void
}

/** Asks of which time: the last days at once, two moments when they are filled in. */
export function PredictionRangeForm({ range, onChange }: PredictionRangeFormProps) {
  const shownZone = useStore(zone)
  function choose(value: string): void {
    if (value !== BETWEEN) return onChange({ kind: 'last', days: Number(value) })
    onChange(wholeMinutesOf(range, Date.now()))
  }
  return (
    <div className="inline-form">
      <Field label={t.predictions.range}>
        {(field) => (
          <select
            {...field}
            value={range.kind === 'last' ? range.days : BETWEEN}
            onChange={(event) => choose(event.target.value)}
          >
            {RANGES.map((days) => (
              <option key={days} value={days}>
                {t.predictions.lastDays(days)}
              </option>
            ))}
            <option value={BETWEEN}>{t.predictions.between}</option>
          </select>
        )}
      </Field>
      {range.kind === 'between' && (
        <Moments
          key={`${range.from} ${range.to} ${shownZone}`}
          range={range}
          shownZone={shownZone}
          onChange={onChange}
        />
      )}
    </div>
  )
}

type MomentsProps = {
  range: Extract<PredictionRange, { kind: 'between' }>
  shownZone: Zone
  onChange: (range: PredictionRange) => void
}

/** Two moments in the zone of the page. Asked for by a button: while somebody types a year, it is another one. */
function Moments({ range, shownZone, onChange }: MomentsProps) {
  const [texts, setTexts] = useState({
    from: toMinuteField(range.from, shownZone),
    to: toMinuteField(range.to, shownZone),
  })
  const from = fromMinuteField(texts.from, shownZone)
  const to = fromMinuteField(texts.to, shownZone)
  const isWrong = from !== null && to !== null && isBackwards({ from, to })
  return (
    <form
      className="inline-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (from !== null && to !== null && !isWrong) onChange({ kind: 'between', from, to })
      }}
    >
      {(['from', 'to'] as const).map((end) => (
        <Field
          key={end}
          label={t.predictions[end]}
          error={end === 'to' && isWrong ? t.predictions.backwards : null}
        >
          {(field) => (
            <input
              {...field}
              type="datetime-local"
              required
              value={texts[end]}
              onChange={(event) => setTexts({ ...texts, [end]: event.target.value })}
            />
          )}
        </Field>
      ))}
      <Button type="submit">{t.predictions.show}</Button>
    </form>
  )
}
