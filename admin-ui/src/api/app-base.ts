/**
 * Where the UI and the API are. The script's own address says it: `<ui>/assets/index-….js` when built. The API is one
 * step above the UI, so both work below any path, without being told.
 */
const script = new URL(import.meta.url)
const isBuilt = script.pathname.includes('/assets/')
const ui = new URL(isBuilt ? '..' : '/ui/', script)

/** Path of the UI without a slash at its end: `/ui`. */
export const uiBase = ui.pathname.replace(/\/$/, '')

/** @param path of the API, for example `api/v1/auth/logout`. */
export function apiUrl(path: string): string {
  return new URL(path, new URL('..', ui)).href
}

/** Address of the API for WebSockets. */
export function socketUrl(path: string): string {
  return apiUrl(path).replace(/^http/, 'ws')
}
