/**
 * What the official client knows of kubeconfigs, logins and plugins of clouds, without its API: 60 MB of generated files
 * that nothing here uses, and that would cost each engine 40 MB of memory and half a second of its start.
 */
import { registerHooks } from 'node:module'

const API = /\/@kubernetes\/client-node\/dist\/gen\/index\.js$/
/** Wanted by the one function of the client that makes an API. */
const NO_API = `
export const ServerConfiguration = class { constructor() { throw new Error('the API of the client is not loaded') } }
export const createConfiguration = () => new ServerConfiguration()
`

const hooks = leaveOutApi()
export const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
hooks?.deregister()

function leaveOutApi(): { deregister(): void } | null {
  try {
    return registerHooks({
      load: (url, context, next) =>
        API.test(url)
          ? { format: 'module', shortCircuit: true, source: NO_API }
          : next(url, context),
    })
  } catch {
    return null // Modules are loaded by somebody else, a test runner: all of the client is loaded then.
  }
}
