/** All views that KRE's admin UI has, and those that came with this one, as addresses of a version that has something to show. */
import type { View } from './ui-views.ts'

export type Places = {
  readonly runtimeId: string
  readonly versionName: string
  /** Another version of the runtime. */
  readonly otherVersion: string
  /** A request of the version that was kept. */
  readonly requestId: string
  /** Somebody who has an account. */
  readonly email: string
  /** Path of a sign-in link; looking at it does not use it up. */
  readonly signInLink: string
}

export function allUiViews(places: Places): View[] {
  const { runtimeId, versionName, otherVersion, requestId, email, signInLink } = places
  const runtime = `/ui/runtimes/${runtimeId}`
  const version = `${runtime}/versions/${versionName}`
  const account = `/ui/users/account?email=${encodeURIComponent(email)}`
  return [
    { name: 'sign-in', by: 'stranger', path: '/ui/', ready: 'h1' },
    {
      name: 'sign-in-sent',
      by: 'stranger',
      path: '/ui/',
      ready: '.sign-in-code, [role=status] h2',
      async arrive(page) {
        await page.getByLabel('E-mail address').fill(email)
        await page.getByRole('button', { name: 'Send me a link' }).click()
      },
    },
    { name: 'sign-in-link', by: 'stranger', path: signInLink, ready: 'button' },
    { name: 'runtimes', path: '/ui/', ready: '.tile, h2' },
    { name: 'new-runtime', path: '/ui/new-runtime', ready: 'form' },
    { name: 'versions', path: `${runtime}/versions`, ready: 'tbody tr' },
    { name: 'upload', path: `${runtime}/new-version`, ready: 'input[type=file]' },
    {
      name: 'compare',
      path: `${runtime}/compare?from=${otherVersion}&to=${versionName}`,
      ready: '.diff',
    },
    { name: 'access', path: `${runtime}/access`, ready: 'tbody tr' },
    { name: 'version', path: `${version}/status`, ready: '.card-started' },
    { name: 'try-it', path: `${version}/try-it`, ready: 'form .field' },
    { name: 'requests', path: `${version}/requests`, ready: 'tbody tr' },
    { name: 'request', path: `${version}/requests/${requestId}`, ready: '.waterfall' },
    { name: 'logs', path: `${version}/logs`, ready: '.log-message' },
    { name: 'configuration', path: `${version}/configuration`, ready: 'tbody tr' },
    { name: 'predictions', path: `${version}/predictions`, ready: '.confusion' },
    { name: 'documentation', path: `${version}/documentation`, ready: '.document h1' },
    { name: 'users', path: '/ui/users', ready: 'tbody tr' },
    { name: 'user', path: account, ready: 'h2' },
    { name: 'profile', path: '/ui/profile', ready: 'tbody tr' },
    { name: 'settings', path: '/ui/settings', ready: 'form' },
    { name: 'audit', path: '/ui/audit', ready: 'tbody tr' },
    { name: 'not-found', path: '/ui/nothing/here', ready: '.face' },
    { name: 'no-access', by: 'viewer', path: '/ui/users', ready: '.face' },
    { name: 'engine-unreachable', path: '/ui/', ready: '.face', isCutOff: true },
  ]
}
