import { describe, expect, test } from '@jest/globals'
import { GRPC_STATUS, MetricsReport } from '@kre/contracts'
import { createFailure } from '../grpc/failure.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import { createEntrypointMetrics } from './entrypoint-metrics.ts'

const request = (version: string, workflow: object, more: object = {}) =>
  ({
    method: { version: { ref: { runtimeId: 'rt', version } } },
    workflow,
    handlerUs: 3_000,
    stream: null,
    ...more,
  }) as unknown as PendingRequest

function open() {
  const reports: MetricsReport[] = []
  const metrics = createEntrypointMetrics(
    { runtimeId: 'rt', version: null },
    { inFlight: () => 7, events: () => ({ lateReplies: 2 }) },
    (_subject, data) =>
      void reports.push(MetricsReport.parse(JSON.parse(Buffer.from(data).toString()))),
  )
  return {
    metrics,
    end: (): MetricsReport => {
      metrics.stop()
      const [report] = reports
      if (report === undefined) throw new Error('nothing was said')
      return report
    },
  }
}

describe('createEntrypointMetrics', () => {
  test('counts ends by status, and what an answer cost besides its handlers', () => {
    const { metrics, end } = open()
    const workflow = { id: 'wf' }
    const failure = createFailure('deadline-exceeded', 'EXPIRED', 'too late')
    metrics.ended(request('v1', workflow), 4, null)
    metrics.ended(request('v1', workflow), 40, failure)
    // The same version, served again.
    metrics.ended(request('v1', { id: 'wf' }), 5, null)
    metrics.ended(request('v1', workflow, { stream: {} }), 60_000, null)
    const report = end()
    const labels = { runtime: 'rt', version: 'v1', workflow: 'wf' }
    expect(report.counters).toEqual([
      { name: 'kre_requests_total', labels: { ...labels, status: 'OK' }, value: 3 },
      { name: 'kre_requests_total', labels: { ...labels, status: 'DEADLINE_EXCEEDED' }, value: 1 },
      {
        name: 'kre_entrypoint_events_total',
        labels: { runtime: 'rt', entrypoint: 'published', event: 'late_replies' },
        value: 2,
      },
    ])
    expect(report.gauges[0]).toEqual({
      name: 'kre_requests_in_flight',
      labels: { runtime: 'rt', entrypoint: 'published' },
      value: 7,
    })
    const overhead = report.histograms.find(({ name }) => name === 'kre_request_overhead_seconds')
    expect(overhead?.labels).toEqual(labels)
    expect(overhead?.sum).toBeCloseTo(0.003, 9)
  })

  test.each(Object.entries(GRPC_STATUS))('has a name for the status %s', (code, status) => {
    const { metrics, end } = open()
    metrics.ended(request('v1', { id: 'wf' }), 1, { status, message: '' } as never)
    expect(end().counters[0]?.labels['status']).toBe(code.toUpperCase().replaceAll('-', '_'))
  })

  test('has a bound, however many versions come and go', () => {
    const { metrics, end } = open()
    for (let i = 0; i < 600; i++) metrics.ended(request(`v${i}`, { id: 'wf' }), 1, null)
    const { counters } = end()
    const requests = counters.filter(({ name }) => name === 'kre_requests_total')
    expect(requests).toHaveLength(501)
    expect(requests.at(-1)).toMatchObject({ labels: { version: '_other' }, value: 100 })
  })
})
