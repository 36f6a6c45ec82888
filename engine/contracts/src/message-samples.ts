/** How samples of messages are asked for and cut. */
import { KiB, SECOND_MS } from './units.ts'

/** The first bytes of a message that are kept of a sample. */
export const SAMPLE_BYTES_MAX = 16 * KiB
/** The engine asks for samples so often, while somebody wants them. */
export const SAMPLE_CALL_EVERY_MS = 5 * SECOND_MS
/** A node that is asked keeps in mind what passes for so long: two calls may get lost. */
export const SAMPLE_CALL_MS = 16 * SECOND_MS
