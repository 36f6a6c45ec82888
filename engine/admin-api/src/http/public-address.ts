/**
 * A path of this API as browsers reach it.
 *
 * @param publicUrl where the API is for them. A path in it is what a proxy puts in front.
 */
export function publicAddress(publicUrl: string, path: string): URL {
  const address = new URL(publicUrl)
  address.pathname = `${address.pathname.replace(/\/$/, '')}${path}`
  address.search = ''
  address.hash = ''
  return address
}
