/** Checks what user code wants to store and makes the records of it. */
import { z } from 'zod'
import { KreError } from '@kre/contracts/runtime'

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]00:?00)$/

export const PredictionArguments = z
  .object({
    date: z.string(),
    error: z.enum(['', 'missing_values', 'new_labels'], {
      error: 'error must be "", "missing_values" or "new_labels"',
    }),
    predictedValue: z.string(),
    trueValue: z.string(),
    extra: z.unknown(),
  })
  .refine(
    ({ error, predictedValue, trueValue }) =>
      error !== '' || (predictedValue !== '' && trueValue !== ''),
    {
      error: 'predictedValue and trueValue must be non-empty strings unless error is set',
    },
  )

export const DocumentArguments = z.object({
  collection: z.string().min(1, 'the collection needs a name'),
  document: z.record(z.string(), z.unknown(), { error: 'the document must be an object' }),
})

export const FindArguments = z.object({
  collection: z.string().min(1, 'the collection needs a name'),
  query: z
    .record(z.string(), z.unknown(), { error: 'the query must be an object' })
    .refine((query) => Object.keys(query).length > 0, { error: 'the query must not be empty' }),
})

export const MeasurementArguments = z.object({
  measurement: z.string().min(1, 'the measurement needs a name'),
  fields: z
    .record(z.string(), z.union([z.number(), z.string(), z.boolean()]))
    .refine((fields) => Object.keys(fields).length > 0, { error: 'a measurement needs a field' }),
  tags: z.record(z.string(), z.coerce.string()),
  timeNs: z.string().regex(/^\d+$/, 'the time must be nanoseconds since 1970'),
})

/** @throws KreError `invalid-argument` with what is wrong, in the words of the schema. */
export function checkArguments<T>(method: string, schema: z.ZodType<T>, args: unknown): T {
  const { success, data, error } = schema.safeParse(args)
  if (success) return data
  const problems = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  )
  throw new KreError('invalid-argument', `${method}: ${problems.join('; ')}`)
}

/** `YYYY-MM-DDTHH:MM:SS.ffffffZ`. @throws KreError `invalid-argument` for a time that is not UTC. */
export function toPredictionDate(date: string): string {
  const match = RFC_3339.exec(date)
  if (match === null || Number.isNaN(Date.parse(date.replace(' ', 'T')))) {
    throw new KreError(
      'invalid-argument',
      `prediction.save: date "${date}" is no time in UTC, such as 2024-01-31T12:00:00.000000Z`,
    )
  }
  const [, day, time, fraction = ''] = match
  return `${day}T${time}.${fraction.padEnd(6, '0').slice(0, 6)}Z`
}
