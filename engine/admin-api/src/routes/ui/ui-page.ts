/** The page of the admin UI, as it goes to one request. Pure. */

/** How people may sign in; the page shows only what there is. */
export type SignInMethods = { readonly mail: boolean; readonly oidc: boolean }

/**
 * The built page for a request below `/ui/`. Addresses in it are relative to the UI's root, so that it works below any
 * path a proxy puts in front: from `/ui/runtimes/demo` the root is one step up.
 *
 * @param rest path of the request behind `/ui/`.
 */
export function uiPage(page: string, rest: string, methods: SignInMethods): string {
  const up = '../'.repeat(rest.split('/').length - 1)
  const root = up === '' ? './' : up
  const names = (['mail', 'oidc'] as const).filter((name) => methods[name]).join(' ')
  return page
    .replaceAll(/(src|href)="\.\//g, `$1="${root}`)
    .replace('name="kre-sign-in" content=""', `name="kre-sign-in" content="${names}"`)
}

/**
 * Nothing from elsewhere, nothing inline. WebSockets are named by host, since not every browser counts them among
 * `'self'`.
 *
 * @param hosts the request's `Host`, which was checked, and that of the public URL: a proxy may put its own in between.
 */
export function uiPolicy(...hosts: readonly string[]): string {
  const sockets = [...new Set(hosts)]
    .filter((host) => /^[a-z0-9.-]+(?::\d+)?$/i.test(host))
    .map((host) => ` ws://${host} wss://${host}`)
    .join('')
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${sockets}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
}
