/** What can be called of a version, and samples of the messages that went through it. */
import type { MessagePart } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { describeService } from '../rpcs/describe-service.ts'
import { listEdgeSamples, readStepMessages } from '../samples/read-samples.ts'
import { samplingUntil, setSampling } from '../samples/set-sampling.ts'
import { stepsOf } from '../traffic/read-requests.ts'
import type { GraphqlContext } from './context.ts'
import { toGraphqlStep, type GraphqlRequest } from './to-graphql-traffic.ts'
import { toGraphqlVersion, type GraphqlVersion } from './to-graphql-version.ts'

type EdgeArgs = {
  runtimeId: string
  versionName: string
  workflowId: string
  fromNodeId: string
  toNodeId: string
}

export function createSampleQueries(deps: FeatureDeps) {
  return {
    edgeSamples: async (_: unknown, args: EdgeArgs, { principal }: GraphqlContext) =>
      (await listEdgeSamples(deps, { ...args, principal })).map(({ requestId, at, message }) => ({
        requestId,
        date: at.toISOString(),
        message,
      })),
  }
}

export function createSampleMutations(deps: FeatureDeps) {
  return {
    sampleMessages: async (
      _: unknown,
      { input }: { input: { runtimeId: string; versionName: string; minutes: number } },
      { principal }: GraphqlContext,
    ) => toGraphqlVersion(await setSampling(deps, { ...input, principal })),
  }
}

/** Fields of `Version`. */
export function createServiceFields(deps: FeatureDeps) {
  return {
    service: async (
      { runtimeId, name: versionName }: GraphqlVersion,
      _args: unknown,
      { principal, signal }: GraphqlContext,
    ) => {
      const query = { principal, runtimeId, versionName, signal }
      const { rpcs, ...rest } = await describeService(deps, query)
      return {
        ...rest,
        rpcs: rpcs.map(({ workflow, ...rpc }) => ({ ...rpc, workflowId: workflow })),
      }
    },
    samplingUntil: async (
      { runtimeId, name: versionName }: GraphqlVersion,
      _args: unknown,
      { principal }: GraphqlContext,
    ) => (await samplingUntil(deps, { principal, runtimeId, versionName }))?.toISOString() ?? null,
  }
}

/** Steps of a request, with what is known of their messages. */
export function createStepFields(deps: FeatureDeps) {
  return {
    steps: async (
      { id, runtimeId, versionName }: GraphqlRequest,
      _args: unknown,
      { principal }: GraphqlContext,
    ) => {
      const [steps, messages] = await Promise.all([
        stepsOf(deps, { id, runtimeId }),
        readStepMessages(deps, principal, { id, runtimeId, version: versionName }),
      ])
      return steps.map((step) => {
        const sample = messages?.of(step.id)
        // Read only when it is asked for.
        const shown = (part: MessagePart | null | undefined) => () =>
          part === null || part === undefined ? null : (messages?.show(part) ?? null)
        return {
          ...toGraphqlStep(step),
          input: shown(sample?.input),
          output: shown(sample?.output),
        }
      })
    },
  }
}
