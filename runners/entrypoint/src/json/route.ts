import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { KreError } from '@kre/contracts/runtime'
import type { HttpRule } from './http-rules.ts'
import {
  matchPath,
  parsePathTemplate,
  type PathTemplate,
  type PathValues,
} from './path-template.ts'
import type { TypedMethod } from './typed-method.ts'

/** An HTTP method and path that a `google.api.http` annotation gives to an rpc. */
export type Route = {
  readonly method: TypedMethod
  /** `*` = any. */
  readonly httpMethod: string
  readonly template: PathTemplate
  /** As written. */
  readonly path: string
  /** `*` = the whole message, null = no body. */
  readonly body: DescField | '*' | null
  /** What of the answer is sent; null = all of it. */
  readonly responseBody: DescField | null
}

/** @throws KreError `invalid-argument` when the rule does not fit the method's messages. */
export function createRoute(rule: HttpRule, method: TypedMethod): Route {
  const template = parsePathTemplate(rule.template)
  for (const { field } of template.variables) leafOf(method.input, field)
  return {
    method,
    httpMethod: rule.method,
    template,
    path: rule.template,
    body: rule.body === '*' ? '*' : fieldNamed(method.input, rule.body),
    responseBody: fieldNamed(method.output, rule.responseBody),
  }
}

export type RouteMatch =
  | { readonly route: Route; readonly values: PathValues }
  /** The path is known, with other HTTP methods. */
  | { readonly allowed: readonly string[] }

/** @returns null when no route has the path. @throws URIError for a wrong escape in it. */
export function findRoute(
  routes: readonly Route[],
  httpMethod: string,
  path: string,
): RouteMatch | null {
  const allowed: string[] = []
  for (const route of routes) {
    const values = matchPath(route.template, path)
    if (values === null) continue
    const wanted = route.httpMethod
    if (wanted === '*' || wanted === httpMethod || (wanted === 'GET' && httpMethod === 'HEAD'))
      return { route, values }
    allowed.push(wanted)
  }
  return allowed.length === 0 ? null : { allowed }
}

/** A field by the name in the proto or in JSON. */
export function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name || field.jsonName === name)
}

/**
 * The field at the end of a path, through messages that are there once.
 *
 * @throws KreError `invalid-argument` that names the first step that leads nowhere.
 */
export function leafOf(message: DescMessage, path: readonly string[]): DescField {
  let at = message
  for (const [i, name] of path.entries()) {
    const field = findField(at, name)
    const where = path.slice(0, i + 1).join('.')
    if (field === undefined)
      throw new KreError('invalid-argument', `${at.typeName} has no field "${name}"`, {
        field: where,
      })
    if (i === path.length - 1) return field
    if (field.fieldKind !== 'message')
      throw new KreError('invalid-argument', `field "${where}" is no message`, { field: where })
    at = field.message
  }
  throw new KreError('invalid-argument', 'a field path is empty')
}

function fieldNamed(message: DescMessage, name: string): DescField | null {
  return name === '' ? null : leafOf(message, [name])
}
