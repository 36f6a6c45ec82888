import type { PredictionsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { DataTable } from '../ui/data-table.tsx'

type Class = NonNullable<PredictionsResult['metrics']>['classes'][number]

const COUNTS = ['support', 'predicted'] as const
const SHARES = ['precision', 'recall', 'f1'] as const

/** How good the predictions of each class were. */
export function ClassTable({ classes }: { classes: readonly Class[] }) {
  return (
    <DataTable
      label={t.predictions.classes}
      rows={classes}
      keyOf={({ label }) => label}
      columns={[
        {
          key: 'label',
          title: t.predictions.label,
          kind: 'name',
          cell: ({ label }) => label,
          sortBy: ({ label }) => label,
        },
        ...COUNTS.map((key) => ({
          key,
          title: t.predictions.columns[key],
          kind: 'number' as const,
          cell: (one: Class) => one[key],
          sortBy: (one: Class) => one[key],
        })),
        ...SHARES.map((key) => ({
          key,
          title: t.predictions.columns[key],
          kind: 'number' as const,
          cell: (one: Class) => `${(one[key] * 100).toFixed(1)} %`,
          sortBy: (one: Class) => one[key],
        })),
      ]}
    />
  )
}
