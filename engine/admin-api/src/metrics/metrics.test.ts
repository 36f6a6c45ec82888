import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sampleMeasurement, samplePrediction } from '@kre/store/testing'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

const { cases } = JSON.parse(
  readFileSync(new URL('fixtures/known-answers.json', import.meta.url), 'utf8'),
) as {
  cases: {
    name: string
    true: string[]
    said: string[]
    labels: string[]
    accuracy: number
    confusion: number[][]
    support: number[]
    recall: number[]
    averages: Record<string, { micro: number; macro: number; weighted: number }>
  }[]
}
const KNOWN = cases.find(({ name }) => name === 'ten uneven classes')

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
  await api.createRuntime()
  for (const version of ['known', 'errors', 'empty', 'numbers']) await api.upload({ version })
  await api.store.outputs.write([
    ...(KNOWN?.true ?? []).map((trueValue, i) =>
      samplePrediction(`k${i}`, {
        version: 'known',
        trueValue,
        predictedValue: KNOWN?.said[i] ?? '',
        date: new Date(Date.parse('2026-01-01T00:00:00Z') + i * 600_000).toISOString(),
      }),
    ),
    samplePrediction('1', { version: 'errors', error: 'missing_values', trueValue: '' }),
    samplePrediction('2', { version: 'errors', error: 'new_labels', trueValue: 'x' }),
    samplePrediction('3', { version: 'errors', error: 'new_labels', trueValue: 'x' }),
  ])
})
afterAll(() => api[Symbol.asyncDispose]())

const ask = async (versionName: string, selection: string, end = '2026-01-31T00:00:00Z') => {
  const answer = await api.graphql(
    `query ($versionName: String!, $end: String!) {
      metrics(runtimeId: "demo", versionName: $versionName, startDate: "2026-01-01T00:00:00Z", endDate: $end) {
        ${selection} } }`,
    { versionName, end },
  )
  return {
    ...answer,
    metrics: (answer.data?.['metrics'] ?? null) as Record<string, unknown> | null,
  }
}

describe('metrics of predictions', () => {
  test('are those of scikit-learn, in whole percents and unrounded', async () => {
    const { metrics } = await ask(
      'known',
      `rows hits misses values { accuracy { total micro } missing newLabels }
       averages { recall { micro macro weighted } f1 { macro } precision { weighted } }
       classes { label support recall }
       charts { confusionMatrix { x y z } seriesSupport { x y } seriesRecall { x y } successVsFails { x y z } }`,
    )
    if (KNOWN === undefined || metrics === null) throw new Error('nothing to compare')
    const percent = Math.round(KNOWN.accuracy * 100)
    const { recall, f1, precision } = KNOWN.averages
    expect(metrics).toMatchObject({
      rows: 400,
      values: { accuracy: { total: percent, micro: percent }, missing: 0, newLabels: 0 },
      averages: {
        recall: {
          micro: expect.closeTo(recall?.micro ?? 0, 12),
          macro: expect.closeTo(recall?.macro ?? 0, 12),
          weighted: expect.closeTo(recall?.weighted ?? 0, 12),
        },
        f1: { macro: expect.closeTo(f1?.macro ?? 0, 12) },
        precision: { weighted: expect.closeTo(precision?.weighted ?? 0, 12) },
      },
    })
    const charts = metrics['charts'] as Record<string, { x: string; y: string; z: string }[]>
    expect(charts['confusionMatrix']).toEqual(
      KNOWN.labels.flatMap((y, row) =>
        KNOWN.labels.map((x, column) => ({
          x,
          y,
          z: String(
            Math.round(((KNOWN.confusion[row]?.[column] ?? 0) / (KNOWN.support[row] ?? 1)) * 100),
          ),
        })),
      ),
    )
    expect(charts['seriesSupport']).toEqual(
      KNOWN.labels.map((y, i) => ({ x: String(KNOWN.support[i]), y })),
    )
    expect(charts['seriesRecall']).toEqual(
      KNOWN.labels.map((y, i) => ({ x: String(Math.round((KNOWN.recall[i] ?? 0) * 100)), y })),
    )
    // Six an hour make 400 in 67 hours; the range is longer than a week, so days are told.
    const days = charts['successVsFails'] ?? []
    expect(days.map(({ x }) => x)).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-02T00:00:00.000Z',
      '2026-01-03T00:00:00.000Z',
    ])
    expect(days.reduce((sum, { y, z }) => sum + Number(y) + Number(z), 0)).toBe(400)
  })

  test('tell a range of up to a week by the hour, both ends included', async () => {
    const { metrics } = await ask(
      'known',
      'rows charts { successVsFails { x y z } }',
      '2026-01-01T02:00:00Z',
    )
    expect(metrics).toMatchObject({ rows: 13 })
    const charts = metrics?.['charts'] as { successVsFails: { x: string }[] } | undefined
    expect(charts?.successVsFails.map(({ x }) => x.slice(11, 16))).toEqual([
      '00:00',
      '01:00',
      '02:00',
    ])
  })

  test('count errors apart, in percent of all predictions', async () => {
    const { metrics } = await ask(
      'errors',
      'rows hits misses values { missing newLabels accuracy { total } } classes { label }',
    )
    expect(metrics).toEqual({
      rows: 3,
      hits: 0,
      misses: 0,
      values: { missing: 33, newLabels: 67, accuracy: { total: 0 } },
      classes: [],
    })
  })

  test('are null without predictions', async () => {
    const { data, errors } = await ask('empty', 'rows')
    expect(errors).toBeUndefined()
    expect(data).toEqual({ metrics: null })
  })

  test('chart at most a hundred classes, and count all', async () => {
    await api.store.outputs.write(
      Array.from({ length: 300 }, (_, i) =>
        samplePrediction(`n${i}`, {
          version: 'numbers',
          trueValue: `${i % 150}`,
          predictedValue: `${i % 150}`,
        }),
      ),
    )
    const { metrics } = await ask('numbers', 'classes { label } charts { seriesSupport { x } }')
    expect(metrics?.['classes']).toHaveLength(150)
    const charts = metrics?.['charts'] as { seriesSupport: unknown[] } | undefined
    expect(charts?.seriesSupport).toHaveLength(100)
  })

  test.each([
    ['a date that is none', 'soon', 'endDate is not a date'],
    ['an end before the begin', '2025-01-01T00:00:00Z', 'endDate is before startDate'],
    ['a date without a zone', '2026-02-01T00:00:00', 'endDate is not a date'],
  ])('refuse %s', async (_, end, message) => {
    const { errors } = await ask('known', 'rows', end)
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining(message),
      extensions: { code: 'INVALID_ARGUMENT' },
    })
  })

  test('of a version that is not there are not found', async () => {
    const { errors } = await ask('nope', 'rows')
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('measurements', () => {
  test('are answered oldest first, by name and range', async () => {
    const at = (s: number) => `${Date.parse('2026-01-01T00:00:00Z') / 1_000 + s}000000001`
    await api.store.outputs.write([
      sampleMeasurement('1', { version: 'known', timeNs: at(1) }),
      sampleMeasurement('2', { version: 'known', timeNs: at(2), node: null, workflow: null }),
      sampleMeasurement('3', { version: 'known', timeNs: at(3) }),
      sampleMeasurement('4', { version: 'known', timeNs: at(2), measurement: 'other' }),
    ])
    const { data } = await api.graphql(
      `{ measurements(runtimeId: "demo", versionName: "known", measurement: "elapsed",
           from: "2026-01-01T00:00:00Z", to: "2026-01-01T00:00:02.500Z") {
           date nodeId workflowId requestId fields { key value } tags { key value } }
         measurementNames(runtimeId: "demo", versionName: "known") }`,
    )
    const point = {
      date: '2026-01-01T00:00:01.000Z',
      nodeId: 'wf.a',
      workflowId: 'wf',
      requestId: 'r1',
      fields: [
        { key: 'elapsed_ms', value: '1.5' },
        { key: 'success', value: 'true' },
      ],
      tags: [{ key: 'from_node', value: 'entrypoint' }],
    }
    expect(data).toEqual({
      measurements: [
        point,
        { ...point, date: '2026-01-01T00:00:02.000Z', nodeId: '', workflowId: '' },
      ],
      measurementNames: ['elapsed', 'other'],
    })
  })
})
