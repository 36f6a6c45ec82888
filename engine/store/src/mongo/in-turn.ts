/** Ends of the work under way, by key. */
const underWay = new Map<string, Promise<unknown>>()

/**
 * Runs work on one document after the other of this process, in the order of the calls. MongoDB needs it for nothing
 * but fewer tries; FerretDB reads, decides and writes an update in separate steps, so that two at once lose one.
 */
export async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = underWay.get(key)
  const own = (async () => {
    // Whether the one before failed is its caller's to know.
    await before?.catch(() => undefined)
    return work()
  })()
  underWay.set(key, own)
  try {
    return await own
  } finally {
    if (underWay.get(key) === own) underWay.delete(key)
  }
}

/** Names a document for `inTurn`. */
export function turnOf(collection: { namespace: string }, id: string): string {
  return `${collection.namespace}/${id}`
}
