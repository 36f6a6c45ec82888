/** A failed request as entrypoints tell of it. */
export const sampleKeptRequest = (id: string) => ({
  id,
  workflow: 'wf',
  kept: 'failed',
  startedUnixMs: 1.7e12,
  elapsedMs: 10,
  handlerMs: 4,
  status: 'INTERNAL',
  message: 'no luck',
  attempts: 1,
  requestBytes: 3,
})
