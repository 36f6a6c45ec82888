import { UsageError } from '../output/exit-code.ts'

/**
 * The address of an engine without a path. A token is a secret: over http it goes only to this computer, unless
 * `insecureHttp` says that the way is safe.
 *
 * @throws UsageError. No message repeats a password that the URL holds.
 */
export function checkEngineUrl(text: string, options: { insecureHttp: boolean }): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError('the URL of an engine is https://HOST[:PORT], or http:// on this computer')
  if (url.username !== '' || url.password !== '')
    throw new UsageError(
      'the URL of an engine holds no user and no password: give an API token by a file',
    )
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new UsageError(
      `"${url.origin}" is the engine's address: leave out what stands behind it in "${text}"`,
    )
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !options.insecureHttp)
    throw new UsageError(
      `${url.origin} is http on another computer, where whoever is on the way reads the token: use https, or add --insecure-http where the network is yours`,
    )
  return url.origin
}

/** Names that lead to this computer by definition (RFC 6761, RFC 1122). */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  )
}
