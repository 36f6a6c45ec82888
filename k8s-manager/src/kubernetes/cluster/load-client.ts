/**
 * What the official client knows of kubeconfigs, logins and plugins of clouds, without what nothing here uses: its API,
 * 60 MB of generated files that would cost each engine 40 MB of memory and half a second of its start, and the HTTP
 * client of its own, 2 MB of files.
 */
import { registerHooks } from 'node:module'

const API = /\/@kubernetes\/client-node\/dist\/gen\/index\.js$/
/** Wanted by the one function of the client that makes an API. */
const NO_API = `
export const ServerConfiguration = class { constructor() { throw new Error('the API of the client is not loaded') } }
export const createConfiguration = () => new ServerConfiguration()
`

const HTTP_CLIENT = /\/undici\/index\.js$/
/** Wanted by the one function of the client that makes options for `fetch`. */
const NO_HTTP_CLIENT = `
const missing = class { constructor() { throw new Error('the HTTP client of the client is not loaded') } }
export { missing as Agent, missing as ProxyAgent }
`

const hooks = leaveOut()
export const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
hooks?.deregister()

function leaveOut(): { deregister(): void } | null {
  const sourceOf = (url: string) =>
    API.test(url) ? NO_API : HTTP_CLIENT.test(url) ? NO_HTTP_CLIENT : null
  try {
    return registerHooks({
      load: (url, context, next) => {
        const source = sourceOf(url)
        return source === null
          ? next(url, context)
          : { format: 'module', shortCircuit: true, source }
      },
    })
  } catch {
    return null // Modules are loaded by somebody else, a test runner: all of the client is loaded then.
  }
}
