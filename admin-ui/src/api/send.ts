import { ApiError } from './api-error.ts'
import { apiUrl } from './app-base.ts'
import type { KrtIssue } from './krt-issue.ts'

type Problem = {
  code?: string
  message?: string
  requestId?: string
  issues?: readonly KrtIssue[]
  /** Of fields in answers of REST; answers of GraphQL have theirs below the same name. */
  errors?: readonly {
    field?: string
    description?: string
    message?: string
    extensions?: { code?: string; requestId?: string }
  }[]
}

/** Told about every answer that says that nobody is signed in. */
let onSignedOut = (): void => undefined
export function setOnSignedOut(listener: () => void): void {
  onSignedOut = listener
}

/**
 * One request to the API, answered with a good status.
 *
 * @throws ApiError: `UNREACHABLE` when nothing answers, else what the API says. An abort is thrown as it is.
 */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await reach(path, init)
  if (response.ok) return response
  const problem = await readProblem(response)
  if (response.status === 401 && !path.startsWith('api/v1/auth/')) onSignedOut()
  throw problem
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(apiUrl(path), { credentials: 'same-origin', cache: 'no-store', ...init })
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new ApiError('UNREACHABLE', '', { cause: error })
  }
}

/** What a status says where no words come with it, as in answers to HEAD. */
function codeOf(status: number): string {
  if (status >= 500) return 'UNREACHABLE'
  return status === 401 ? 'UNAUTHORIZED' : status === 404 ? 'NOT_FOUND' : 'HTTP'
}

/** What a refusal says; a proxy's page in place of the API's words is not shown. */
async function readProblem(response: Response): Promise<ApiError> {
  const problem = await response.json().then(
    (body: unknown) => (typeof body === 'object' && body !== null ? (body as Problem) : {}),
    () => ({}) as Problem,
  )
  const { extensions } = problem.errors?.[0] ?? {}
  const code = (problem.code ?? extensions?.code)?.toUpperCase() ?? codeOf(response.status)
  const details = (problem.errors ?? []).map(
    ({ field, description, message }) => message ?? `${field}: ${description}`,
  )
  const head = problem.message ?? (extensions === undefined ? `HTTP ${response.status}` : '')
  const message = [head, ...details].filter((text) => text !== '').join('. ')
  return new ApiError(code, message, {
    requestId:
      problem.requestId ?? extensions?.requestId ?? response.headers.get('x-request-id') ?? '',
    issues: problem.issues ?? [],
  })
}
