/** What the interop suite asks of a gRPC client, whatever stack it is made with: bytes in, and what the stack makes of the answer out. */

export type CallSpec = {
  address: string
  /** `/package.Service/Method` */
  path: string
  /** One call for each, all at once. */
  payloads: readonly Uint8Array[]
  /** Connections that the calls are spread over; 1 by default. Calls with the same number share connections. */
  channels?: number
  deadlineMs?: number
  metadata?: Record<string, string>
  /** Requests are sent compressed; answers may be. */
  gzip?: boolean
  waitForReady?: boolean
  /** The client pings all the time, with and without calls. Such calls have a connection of their own. */
  keepaliveMs?: number
}

export type Outcome = {
  /** gRPC status. */
  code: number
  message: string
  /** Null without an answer. */
  data: Uint8Array | null
  trailers: Record<string, string>
  /** The google.rpc.ErrorInfo of a failure. */
  errorInfo: { reason: string; domain: string; metadata: Record<string, string> } | null
}

export type OpenCalls = {
  /** In the order of the payloads; never rejects for a call that failed. */
  readonly outcomes: Promise<Outcome[]>
  cancel(): void
}

export type Watch = {
  /** Names of ServingStatus, in the order they came. */
  readonly statuses: readonly string[]
  readonly ended: Promise<unknown>
  stop(): void
}

export type ReflectionVersion = 'v1' | 'v1alpha'

export type InteropClient = AsyncDisposable & {
  call(spec: CallSpec): OpenCalls
  listServices(address: string, version: ReflectionVersion): Promise<string[]>
  /** `Method: input -> output` of each method, from the descriptor that defines the service. */
  describe(address: string, version: ReflectionVersion, service: string): Promise<string[]>
  /** Name of the ServingStatus, or `code N` of the failure. */
  check(address: string, service: string): Promise<string>
  watch(address: string, service: string): Watch
}

/** What differs between stacks, so that the suite need not know them. */
export type ClientTraits = {
  /** Interval between keepalive pings that the stack accepts; null = none that a test could wait for. */
  keepaliveMsMin: number | null
  canWaitForReady: boolean
  /** Its trailers hold the headers too, `grpc-encoding` among them; libraries keep that to themselves. */
  showsEncoding: boolean
}

export const SERVING_STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
