import type { Shape, Target } from './h2load.ts'

/** What is measured beside others. */
export type Subject = {
  name: string
  target: Target
  /** Every process that a request costs time in; the generator's is not among them. */
  pids: readonly number[]
  /** Under load; 8 connections x 8 streams by default. */
  shape?: Shape
  /** The processors that it may use, and those of the generator, as `0,1`; all of them by default. */
  cores?: { own: string; generator: string }
}
