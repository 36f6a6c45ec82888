import type { Route } from './exchange.ts'

export type RouteMatch =
  | { kind: 'found'; route: Route; params: Readonly<Record<string, string>> }
  | { kind: 'wrong-method'; allow: string }
  | { kind: 'unknown' }

/** Finds the route of a request. `:name` in a route's path takes one segment, `*` at its end all the rest. */
export function matchRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const matching = routes.flatMap((route) => {
    const params = matchPath(route.path, path)
    return params === null ? [] : [{ route, params }]
  })
  const found = matching.find(({ route }) => route.method === method)
  if (found !== undefined) return { kind: 'found', ...found }
  if (matching.length === 0) return { kind: 'unknown' }
  return { kind: 'wrong-method', allow: matching.map(({ route }) => route.method).join(', ') }
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const given = path.split('/')
  const rest = wanted.at(-1) === '*' ? takeRest(wanted, given) : null
  if (wanted.length !== given.length) return null
  const params: Record<string, string> = rest === null ? {} : { '*': rest }
  for (const [index, segment] of wanted.entries()) {
    const part = given[index] ?? ''
    if (!segment.startsWith(':')) {
      if (segment !== part) return null
      continue
    }
    const value = decode(part)
    if (value === null || value === '') return null
    params[segment.slice(1)] = value
  }
  return params
}

/** Cuts both lists before the rest of the path. @returns the rest as it came, null where there is none. */
function takeRest(wanted: string[], given: string[]): string | null {
  if (given.length < wanted.length) return null
  wanted.pop()
  return given.splice(wanted.length).join('/')
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    // A broken escape can't name anything of ours.
    return null
  }
}
