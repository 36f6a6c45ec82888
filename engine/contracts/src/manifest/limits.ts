/** How much of everything a manifest may hold: enough for ten times the largest known one, little enough to draw and to run. */
export const WORKFLOWS_MAX = 50
/** Per workflow. */
export const NODES_MAX = 200
/** Per node. */
export const SUBSCRIPTIONS_MAX = 50
/** Variables and files together. */
export const CONFIG_NAMES_MAX = 200
export const DESCRIPTION_CHARS_MAX = 500
export const DISPLAY_NAME_CHARS_MAX = 40
export const REPLICAS_MAX = 100
/** Of a node that follows its load and names no most: enough to be of use, too few to fill a computer. */
export const AUTOSCALING_REPLICAS = 10
/** A message that waits for longer asks for a replica, where the manifest names no other time. */
export const AUTOSCALING_QUEUE_AGE_MS = 1_000
/** As long as Kubernetes' own autoscaler waits before it takes replicas away. */
export const AUTOSCALING_IDLE_MS = 300_000
/** Processes report once a second: in less nobody can be known to be idle. */
export const AUTOSCALING_IDLE_MS_MIN = 1_000
/** Handler calls in flight per replica. */
export const CONCURRENCY_MAX = 1_000
/** Messages of one handler call. */
export const BATCH_SIZE_MAX = 1_024
/** A message waits no longer for others of its batch. */
export const BATCH_DELAY_MS_MAX = 1_000
/** Of a handler call or a request: a day. */
export const TIMEOUT_MS_MAX = 86_400_000
export const RETRIES_MAX = 100
/** Between two tries: an hour. */
export const BACKOFF_MS_MAX = 3_600_000
export const GPU_COUNT_MAX = 16
/** Requests of a workflow in flight, and their bytes, per entrypoint process. */
export const IN_FLIGHT_MAX = 1_000_000
export const BYTES_IN_FLIGHT_MAX = 1024 ** 4
/** Declared by one node. */
export const CHANNELS_MAX = 50
