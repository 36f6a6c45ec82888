/** What is seen of running versions: predictions, measurements, traffic, requests, documents, bounds of logs. */
import { DAY_MS, type MeasurementRecord } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { listDocuments } from '../docs/list-documents.ts'
import { readLogLimits, updateLogLimits } from '../logs/log-limits.ts'
import { listMeasurementNames, readMeasurements } from '../metrics/read-measurements.ts'
import { readMetrics } from '../metrics/read-metrics.ts'
import { findRequest, listRequests } from '../traffic/read-requests.ts'
import { readTraffic, type ReadTraffic } from '../traffic/read-traffic.ts'
import type { GraphqlContext } from './context.ts'
import { toGraphqlMetrics } from './to-graphql-metrics.ts'
import { createSampleMutations, createSampleQueries, createStepFields } from './sample-resolvers.ts'
import { toGraphqlRequest, toGraphqlTraffic } from './to-graphql-traffic.ts'

type OfVersion = { runtimeId: string; versionName: string }

export function createObservationQueries(deps: FeatureDeps) {
  return {
    ...createSampleQueries(deps),

    metrics: async (
      _: unknown,
      args: OfVersion & { startDate: string; endDate: string },
      { principal }: GraphqlContext,
    ) => {
      const metrics = await readMetrics(deps, { ...args, principal })
      return metrics === null ? null : toGraphqlMetrics(metrics)
    },

    measurements: async (
      _: unknown,
      args: OfVersion & { measurement: string; from: string; to?: string | null },
      { principal }: GraphqlContext,
    ) => (await readMeasurements(deps, { ...args, principal })).map(toGraphqlMeasurement),

    measurementNames: (_: unknown, args: OfVersion, { principal }: GraphqlContext) =>
      listMeasurementNames(deps, { ...args, principal }),

    traffic: async (
      _: unknown,
      args: Omit<ReadTraffic, 'principal'>,
      { principal }: GraphqlContext,
    ) => toGraphqlTraffic(await readTraffic(deps, { ...args, principal })),

    recentRequests: async (
      _: unknown,
      { filters = null, ...args }: OfVersion & { filters?: unknown },
      { principal }: GraphqlContext,
    ) => (await listRequests(deps, { ...args, filters, principal })).map(toGraphqlRequest),

    request: async (
      _: unknown,
      args: { id: string; runtimeId?: string | null },
      { principal }: GraphqlContext,
    ) => {
      const request = await findRequest(deps, { ...args, principal })
      return request === null ? null : toGraphqlRequest(request)
    },

    documents: (_: unknown, args: OfVersion, { principal }: GraphqlContext) =>
      listDocuments(deps, { ...args, principal }),

    logLimits: async (_: unknown, args: { runtimeId: string }, { principal }: GraphqlContext) =>
      toGraphqlLogLimits(await readLogLimits(deps, { ...args, principal })),
  }
}

export function createObservationMutations(deps: FeatureDeps) {
  return {
    ...createSampleMutations(deps),

    updateLogLimits: async (
      _: unknown,
      { input }: { input: { runtimeId: string; days?: number | null; bytesMax?: number | null } },
      { principal }: GraphqlContext,
    ) => toGraphqlLogLimits(await updateLogLimits(deps, { ...input, principal })),
  }
}

export function createObservationFields(deps: FeatureDeps) {
  return {
    TracedRequest: createStepFields(deps),
  }
}

function toGraphqlMeasurement({ id, timeNs, fields, tags, ...origin }: MeasurementRecord) {
  const entries = (record: Readonly<Record<string, unknown>>) =>
    Object.entries(record).map(([key, value]) => ({ key, value: String(value) }))
  return {
    id,
    date: new Date(Number(BigInt(timeNs) / 1_000_000n)).toISOString(),
    workflowId: origin.workflow ?? '',
    nodeId: origin.node === null ? '' : `${origin.workflow ?? ''}.${origin.node}`,
    requestId: origin.requestId,
    fields: entries(fields),
    tags: entries(tags),
  }
}

function toGraphqlLogLimits(limits: Awaited<ReturnType<typeof readLogLimits>>) {
  const { ageMs, bytesMax, usage } = limits
  return { days: ageMs === null ? null : ageMs / DAY_MS, bytesMax, usage }
}
