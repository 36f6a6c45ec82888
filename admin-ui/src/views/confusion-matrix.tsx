import type { PredictionsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { TableFrame } from '../ui/table-frame.tsx'

type Points = NonNullable<PredictionsResult['metrics']>['charts']['confusionMatrix']

/** Percents of one step of the colours. */
const HEAT_STEP = 20

/** Rows are what was true, columns what was said; percents of each row. */
export function ConfusionMatrix({ points }: { points: Points }) {
  const labels = [...new Set(points.flatMap(({ x, y }) => [x, y]))]
  const shares = new Map(points.map(({ x, y, z }) => [`${y}\0${x}`, Number(z)]))
  return (
    <section className="stack-tight">
      <h2>{t.predictions.confusionTitle}</h2>
      <p className="faint">{t.predictions.confusion}</p>
      <TableFrame label={t.predictions.confusionTitle}>
        <table className="confusion" aria-label={t.predictions.confusionTitle}>
          <thead>
            <tr>
              <td />
              {labels.map((label) => (
                <th key={label} scope="col" className="number">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {labels.map((truth) => (
              <tr key={truth}>
                <th scope="row">{truth}</th>
                {labels.map((said) => {
                  const share = shares.get(`${truth}\0${said}`) ?? 0
                  return (
                    <td key={said} className={`number heat-${Math.ceil(share / HEAT_STEP)}`}>
                      {share === 0 ? '0' : `${share} %`}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </section>
  )
}
