import type { TypedDocument } from '../gen/documents.ts'
import { ApiError } from './api-error.ts'
import { send } from './send.ts'

type GraphqlAnswer<Result> = {
  data?: Result | null
  errors?: readonly {
    message: string
    extensions?: { code?: string; requestId?: string; issues?: ApiError['issues'] }
  }[]
}

/**
 * A query or a mutation.
 *
 * @throws ApiError for the first error, also where a part of the answer would be there.
 */
export async function runOperation<Result, Variables>(
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Result> {
  const response = await send('graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ ...named(document), variables }),
    ...(signal === undefined ? {} : { signal }),
  })
  const { data, errors } = (await response.json()) as GraphqlAnswer<Result>
  const error = errors?.[0]
  if (error !== undefined)
    throw new ApiError(error.extensions?.code ?? 'INTERNAL', error.message, {
      requestId: error.extensions?.requestId ?? '',
      issues: error.extensions?.issues ?? [],
    })
  if (data === undefined || data === null) throw new ApiError('INTERNAL', 'the answer is empty')
  return data
}

/** Names an operation by its digest: the engine has its text, and takes no other from a browser where it is told so. */
export function named({ name, digest }: Pick<TypedDocument<unknown, unknown>, 'name' | 'digest'>): {
  operationName: string
  extensions: { persistedQuery: { version: 1; sha256Hash: string } }
} {
  return {
    operationName: name,
    extensions: { persistedQuery: { version: 1, sha256Hash: digest } },
  }
}
