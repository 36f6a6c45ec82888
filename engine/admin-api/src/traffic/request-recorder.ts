import { KeptRequests, RequestSteps, RESOURCE_NAME } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { KeptRequest, RequestStep, Store } from '@kre/store'
import type { KnownVersions } from './known-versions.ts'

/** What waits for the store; more than a second of a busy engine. The oldest go. */
const REQUESTS_WAITING_MAX = 5_000
const STEPS_WAITING_MAX = 20_000

type Request = Omit<KeptRequest, 'steps'>
type StepOf = { runtimeId: string; version: string; requestId: string; step: RequestStep }

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
  store: Pick<Store, 'requests'>
  knownVersions: KnownVersions
  logger: Logger
}): RequestRecorder {
  const { store, logger } = deps
  const counts = { invalid: 0, dropped: 0 }
  let requests: Request[] = []
  let steps: StepOf[] = []

  const bound = <T>(waiting: T[], max: number): T[] => {
    if (waiting.length <= max) return waiting
    counts.dropped += waiting.length - max
    return waiting.slice(-max)
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
      const added = parsed.data.requests.map(({ startedUnixMs, ...request }) => ({
        ...request,
        ...origin,
        startedAt: new Date(startedUnixMs),
      }))
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
      const added = parsed.data.steps.map(({ requestId, arrivedUnixMs, id, ...step }) => ({
        ...origin,
        requestId,
        step: {
          ...step,
          // Nodes count the messages of a request each for itself.
          id: `${workflow}.${node}.${id}`,
          workflow,
          node,
          arrivedAt: new Date(arrivedUnixMs),
        },
      }))
      steps = bound([...steps, ...added], STEPS_WAITING_MAX)
    },
    async flush() {
      const [ofRequests, ofSteps] = [requests, steps]
      if (ofRequests.length + ofSteps.length === 0) return
      requests = []
      steps = []
      try {
        await storeAll(ofRequests, ofSteps)
      } catch (error) {
        requests = bound([...ofRequests, ...requests], REQUESTS_WAITING_MAX)
        steps = bound([...ofSteps, ...steps], STEPS_WAITING_MAX)
        logger.warn({ err: error }, 'examples of requests not stored')
      }
    },
  }
}

function byVersion<T extends { runtimeId: string; version: string }>(all: readonly T[]): T[][] {
  return [...Map.groupBy(all, ({ runtimeId, version }) => `${runtimeId}/${version}`).values()]
}

/** Whose a message is, by its subject: the broker checks subjects, and nobody checks contents. */
function originOf(subject: string): { runtimeId: string; version: string } | null {
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
