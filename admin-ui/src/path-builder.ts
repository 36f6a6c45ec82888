/** Every address inside the UI is made here; a test keeps them, so that links that people saved go on working. */
export type LogPlace = { node?: string; request?: string; around?: string; line?: string }
export type ComparedVersions = { from?: string; to?: string }
export type AuditPlace = Partial<
  Record<'who' | 'type' | 'runtime' | 'version' | 'from' | 'to', string>
>

const part = encodeURIComponent
/** What is not named is not in the address. */
const withQuery = (path: string, query: Readonly<Record<string, string>>): string => {
  const text = new URLSearchParams(query).toString()
  return text === '' ? path : `${path}?${text}`
}
const version = (runtimeId: string, name: string): string =>
  `/runtimes/${part(runtimeId)}/versions/${part(name)}`

export const paths = {
  runtimes: () => '/',
  newRuntime: () => '/new-runtime',
  versions: (runtimeId: string) => `/runtimes/${part(runtimeId)}/versions`,
  upload: (runtimeId: string) => `/runtimes/${part(runtimeId)}/new-version`,
  access: (runtimeId: string) => `/runtimes/${part(runtimeId)}/access`,
  /** What is not named is chosen by the view. */
  compare: (runtimeId: string, versions: ComparedVersions = {}) =>
    withQuery(`/runtimes/${part(runtimeId)}/compare`, versions),
  status: (runtimeId: string, name: string) => `${version(runtimeId, name)}/status`,
  logs: (runtimeId: string, name: string, place: LogPlace = {}) =>
    withQuery(`${version(runtimeId, name)}/logs`, place),
  configuration: (runtimeId: string, name: string) => `${version(runtimeId, name)}/configuration`,
  requests: (runtimeId: string, name: string) => `${version(runtimeId, name)}/requests`,
  request: (runtimeId: string, name: string, id: string) =>
    `${version(runtimeId, name)}/requests/${part(id)}`,
  /** With a workflow in place of its rpc. */
  tryWorkflow: (runtimeId: string, name: string, workflow: string) =>
    `${version(runtimeId, name)}/try-it?${new URLSearchParams({ workflow })}`,
  tryIt: (runtimeId: string, name: string, rpc?: string) =>
    `${version(runtimeId, name)}/try-it${rpc === undefined ? '' : `/${part(rpc)}`}`,
  documents: (runtimeId: string, name: string, path?: string) =>
    `${version(runtimeId, name)}/documentation${path === undefined ? '' : `?${new URLSearchParams({ path })}`}`,
  predictions: (runtimeId: string, name: string) => `${version(runtimeId, name)}/predictions`,
  profile: () => '/profile',
  users: () => '/users',
  /** In the query: the router leaves some characters of an address's path as they are. */
  user: (email: string) => `/users/account?${new URLSearchParams({ email })}`,
  settings: () => '/settings',
  audit: (place: AuditPlace = {}) => withQuery('/audit', place),
} as const

/** The same addresses with names in place of values, for the router. */
export const patterns = {
  runtimes: '/',
  newRuntime: '/new-runtime',
  runtime: '/runtimes/:runtimeId',
  versions: '/runtimes/:runtimeId/versions',
  upload: '/runtimes/:runtimeId/new-version',
  access: '/runtimes/:runtimeId/access',
  compare: '/runtimes/:runtimeId/compare',
  version: '/runtimes/:runtimeId/versions/:name/:view?/:id?',
  profile: '/profile',
  users: '/users',
  user: '/users/account',
  settings: '/settings',
  audit: '/audit',
} as const
