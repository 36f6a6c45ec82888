import {
  ENTRYPOINT,
  KeptRequests,
  type MessageSnippet,
  RequestSteps,
  RESOURCE_NAME,
} from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { KeptRequest, MessagePart, MessageSample, RequestStep, Store } from '@kre/store'
import type { KnownVersions, VersionParts } from './known-versions.ts'

/** What waits for the store; more than a second of a busy engine. The oldest go. */
const REQUESTS_WAITING_MAX = 5_000
const STEPS_WAITING_MAX = 20_000
/** Up to 32 KiB each. */
const SAMPLES_WAITING_MAX = 500

type Request = Omit<KeptRequest, 'steps'>
type Origin = { runtimeId: string; version: string }
type StepOf = Origin & { requestId: string; step: RequestStep }
type SampleOf = Origin & { sample: MessageSample }

export type RequestRecorder = {
  /** Takes a message from `ALL_KEPT_REQUESTS`. What is malformed is dropped and counted. */
  kept(subject: string, data: Uint8Array): void
  /** Takes a message from `ALL_REQUEST_STEPS`. */
  steps(subject: string, data: Uint8Array): void
  flush(): Promise<void>
  readonly counts: { invalid: number; dropped: number }
}

/** Hands requests that are kept as examples, and the steps that nodes know of them, to the store in batches. */
export function createRequestRecorder(deps: {
  store: Pick<Store, 'requests' | 'samples'>
  now: () => Date
  knownVersions: KnownVersions
  logger: Logger
}): RequestRecorder {
  const { store, logger } = deps
  const counts = { invalid: 0, dropped: 0 }
  let requests: Request[] = []
  let steps: StepOf[] = []
  let samples: SampleOf[] = []

  const bound = <T>(waiting: T[], max: number): T[] => {
    if (waiting.length <= max) return waiting
    counts.dropped += waiting.length - max
    return waiting.slice(-max)
  }
  /** Only of versions that somebody wants samples of: nodes run user code, and may say what nobody asked for. */
  const storeSamples = async (all: readonly SampleOf[]) => {
    for (const own of byVersion(all)) {
      const [first] = own
      if (first === undefined) continue
      const { runtimeId, version } = first
      const parts = await deps.knownVersions(runtimeId, version)
      if (parts === null) continue
      if ((await store.samples.samplingUntil(runtimeId, version, deps.now())) === null) continue
      const known = own.flatMap(({ sample }) => (isOnEdge(sample, parts) ? [sample] : []))
      await store.samples.add(runtimeId, version, known)
    }
  }
  const storeAll = async (ofRequests: readonly Request[], ofSteps: readonly StepOf[]) => {
    for (const own of byVersion(ofRequests)) {
      const [first] = own
      const parts = first && (await deps.knownVersions(first.runtimeId, first.version))
      if (parts) await store.requests.keep(own.filter(({ workflow }) => parts.has(workflow)))
    }
    for (const own of byVersion(ofSteps)) {
      const [first] = own
      const parts = first && (await deps.knownVersions(first.runtimeId, first.version))
      const isKnown = ({ step }: StepOf) => parts?.get(step.workflow)?.has(step.node) === true
      if (first !== undefined)
        await store.requests.addSteps(first.runtimeId, first.version, own.filter(isKnown))
    }
  }

  return {
    counts,
    kept(subject, data) {
      const origin = originOf(subject)
      const parsed = KeptRequests.safeParse(parseJson(data))
      if (origin === null || !parsed.success) {
        counts.invalid += 1
        return
      }
      const added = parsed.data.requests.map(({ startedUnixMs, ...said }) => {
        const { sampled: _sampled, ...request } = said
        return { ...request, ...origin, startedAt: new Date(startedUnixMs) }
      })
      requests = bound([...requests, ...added], REQUESTS_WAITING_MAX)
    },
    steps(subject, data) {
      const origin = originOf(subject)
      const parsed = RequestSteps.safeParse(parseJson(data))
      if (origin === null || !parsed.success) {
        counts.invalid += 1
        return
      }
      const { workflow, node } = parsed.data
      const added = parsed.data.steps.map(({ requestId, arrivedUnixMs, id, ...said }) => {
        const { input, output, ...step } = said
        const at = new Date(arrivedUnixMs)
        // Nodes count the messages of a request each for itself.
        const place = {
          workflow,
          node,
          fromNode: step.fromNode,
          stepId: `${workflow}.${node}.${id}`,
        }
        return {
          step: {
            ...origin,
            requestId,
            step: { ...step, id: place.stepId, workflow, node, arrivedAt: at },
          },
          sample:
            input === undefined
              ? []
              : [{ ...origin, sample: sampleOf({ ...place, requestId, at }, input, output) }],
        }
      })
      steps = bound([...steps, ...added.map(({ step }) => step)], STEPS_WAITING_MAX)
      samples = bound([...samples, ...added.flatMap(({ sample }) => sample)], SAMPLES_WAITING_MAX)
    },
    async flush() {
      const [ofRequests, ofSteps, ofSamples] = [requests, steps, samples]
      if (ofRequests.length + ofSteps.length === 0) return
      requests = []
      steps = []
      samples = []
      try {
        await storeAll(ofRequests, ofSteps)
      } catch (error) {
        requests = bound([...ofRequests, ...requests], REQUESTS_WAITING_MAX)
        steps = bound([...ofSteps, ...steps], STEPS_WAITING_MAX)
        logger.warn({ err: error }, 'examples of requests not stored')
      }
      try {
        await storeSamples(ofSamples)
      } catch (error) {
        // There will be others.
        logger.warn({ err: error }, 'samples of messages not stored')
      }
    },
  }
}

function byVersion<T extends Origin>(all: readonly T[]): T[][] {
  return [...Map.groupBy(all, ({ runtimeId, version }) => `${runtimeId}/${version}`).values()]
}

function sampleOf(
  of: Omit<MessageSample, 'input' | 'output'>,
  input: MessageSnippet,
  output: MessageSnippet | undefined,
): MessageSample {
  return { ...of, input: partOf(input), output: output === undefined ? null : partOf(output) }
}

function partOf({ type, bytes, base64 }: MessageSnippet): MessagePart {
  return { typeName: type, bytes, data: Buffer.from(base64, 'base64') }
}

/** Each edge has its own ring, so those that are not there must have none. */
function isOnEdge({ workflow, node, fromNode }: MessageSample, parts: VersionParts): boolean {
  const nodes = parts.get(workflow)
  return nodes?.has(node) === true && (fromNode === ENTRYPOINT || nodes.has(fromNode))
}

/** Whose a message is, by its subject: the broker checks subjects, and nobody checks contents. */
function originOf(subject: string): Origin | null {
  const [x, runtimeId = '', version = '', control] = subject.split('.')
  if (x !== 'x' || control !== '_c') return null
  return RESOURCE_NAME.test(runtimeId) && RESOURCE_NAME.test(version)
    ? { runtimeId, version }
    : null
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'))
  } catch {
    return null // refused by the schema
  }
}
