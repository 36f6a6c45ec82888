/** An OpenAPI 3.1 document of a version: each rpc at its own path, and at those of its annotations. */
import type { DescField, DescMessage } from '@bufbuild/protobuf'
import type { ServedVersion } from '../versions/served-version.ts'
import { createSchemas, type Schema, type Schemas } from './json-schema.ts'
import { leafOf, type Route } from './route.ts'
import { isCallable, type TypedMethod } from './typed-method.ts'
import { typesOf } from './version-types.ts'

/** Methods that OpenAPI has a word for. */
const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])
/** Messages inside messages whose fields are shown as query parameters. */
const QUERY_DEPTH_MAX = 2
const STATUS = 'google.rpc.Status'

export function openApi(version: ServedVersion): object {
  const { methods, routes, ignored } = typesOf(version)
  const schemas = createSchemas()
  const paths: Record<string, Record<string, object>> = {}
  const add = (path: string, httpMethod: string, operation: object) => {
    const operations = (paths[path] ??= {})
    operations[httpMethod.toLowerCase()] ??= operation
  }
  for (const method of methods.values()) {
    if (!isCallable(method)) continue
    add(method.served.path, 'POST', {
      ...head(method, ''),
      requestBody: bodyOf(schemas.ofMessage(method.input)),
      responses: responses(schemas, method, null),
    })
  }
  for (const [i, route] of routes.entries()) {
    if (!isCallable(route.method)) continue
    const httpMethod = route.httpMethod === '*' ? 'POST' : route.httpMethod
    if (METHODS.has(httpMethod)) add(pathOf(route), httpMethod, operationOf(route, schemas, i))
  }
  return {
    openapi: '3.1.0',
    info: { title: version.ref.runtimeId, version: version.ref.version },
    paths,
    components: { schemas: { ...schemas.all, [STATUS]: STATUS_SCHEMA } },
    ...(ignored.length === 0 ? {} : { 'x-kre-ignored': ignored }),
  }
}

function operationOf(route: Route, schemas: Schemas, number: number): object {
  const { method, body } = route
  const parameters = [...pathParameters(route, schemas), ...queryParameters(route, schemas)]
  return {
    ...head(method, `_${number + 1}`),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null
      ? {}
      : {
          requestBody: bodyOf(
            body === '*' ? schemas.ofMessage(method.input) : schemas.ofField(body),
          ),
        }),
    responses: responses(schemas, method, route.responseBody),
  }
}

function head({ served, descriptor }: TypedMethod, suffix: string) {
  return {
    operationId: `${served.rpc}${suffix}`,
    tags: [descriptor.parent.typeName],
    ...(served.workflow === null ? {} : { 'x-kre-workflow': served.workflow.id }),
  }
}

function bodyOf(schema: Schema): object {
  return { required: true, content: { 'application/json': { schema } } }
}

function responses(schemas: Schemas, method: TypedMethod, field: DescField | null): object {
  const schema = field === null ? schemas.ofMessage(method.output) : schemas.ofField(field)
  const content = method.served.isStreaming
    ? { 'application/x-ndjson': { schema }, 'text/event-stream': { schema } }
    : { 'application/json': { schema } }
  const error = { $ref: `#/components/schemas/${STATUS}` }
  return {
    200: { description: 'The answer of the workflow.', content },
    default: {
      description: 'What went wrong, as google.rpc.Status.',
      content: { 'application/json': { schema: error } },
    },
  }
}

/** `/v1/{name=shelves/*}` is `/v1/{name}`: OpenAPI has no patterns of several segments. */
function pathOf({ path }: Route): string {
  return path.replaceAll(/\{([^=}]+)(?:=[^}]*)?\}/g, '{$1}')
}

function pathParameters(route: Route, schemas: Schemas): object[] {
  return route.template.variables.map(({ field }) => ({
    name: field.join('.'),
    in: 'path',
    required: true,
    schema: schemas.ofField(leafOf(route.method.input, field)),
  }))
}

function queryParameters({ method, template, body }: Route, schemas: Schemas): object[] {
  if (body === '*') return []
  const inPath = new Set(template.variables.map(({ field }) => field.join('.')))
  const found: object[] = []
  const visit = (message: DescMessage, prefix: string, depth: number) => {
    for (const field of message.fields) {
      const name = prefix + field.name
      if (field === body || inPath.has(name) || field.fieldKind === 'map') continue
      const schema = schemas.ofField(field)
      const isMessage = '$ref' in schema
      if (isMessage && field.fieldKind === 'message') {
        if (depth < QUERY_DEPTH_MAX) visit(field.message, `${name}.`, depth + 1)
      } else if (field.fieldKind !== 'list' || field.listKind !== 'message')
        found.push({ name, in: 'query', schema })
    }
  }
  visit(method.input, '', 0)
  return found
}

const STATUS_SCHEMA: Schema = {
  type: 'object',
  properties: {
    code: { type: 'integer', format: 'int32' },
    message: { type: 'string' },
    details: {
      type: 'array',
      items: { type: 'object', properties: { '@type': { type: 'string' } } },
    },
  },
}
