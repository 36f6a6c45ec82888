import type { TestApi } from './start-test-api.ts'

export type Headers = Record<string, string>

/** Makes a user as the owner does. */
export async function makeUser(
  api: TestApi,
  email: string,
  access: { accessLevel?: string; grants?: { runtimeId: string; accessLevel: string }[] } = {},
): Promise<void> {
  const { errors } = await api.graphql(
    'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }',
    { input: { email, ...access } },
  )
  if (errors !== undefined) throw new Error(errors[0]?.message)
}

/** Removes a user as the owner does: logins and tokens end with it. */
export async function removeUser(api: TestApi, email: string): Promise<void> {
  const { errors } = await api.graphql(
    'mutation ($input: UsersInput!) { removeUsers(input: $input) { id } }',
    { input: { userIds: [email], comment: 'gone' } },
  )
  if (errors !== undefined) throw new Error(errors[0]?.message)
}

/** Signs a user in through a link that the owner makes; returns the login's cookie. */
export async function signInAs(api: TestApi, email: string): Promise<string> {
  const path = `/api/v1/auth/login-link?new=1&user=${encodeURIComponent(email)}`
  const link = await api.send(path, { method: 'POST', headers: api.asOwner })
  const url = new URL((JSON.parse(link.text) as { url: string }).url)
  const { headers } = await api.send(url.pathname, { method: 'POST' })
  return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

/** Headers of a program that has the login's token. */
export async function bearerOf(api: TestApi, email: string): Promise<Headers> {
  const cookie = await signInAs(api, email)
  return { authorization: `Bearer ${cookie.split('=')[1]}` }
}

/** Headers of a program with a new API token of whoever `headers` are. */
export async function newApiToken(
  api: TestApi,
  headers: Headers,
  input: Record<string, unknown>,
): Promise<Headers> {
  const { data, errors } = await api.graphql(
    'mutation ($input: GenerateApiTokenInput!) { generateApiToken(input: $input) }',
    { input },
    headers,
  )
  if (errors !== undefined) throw new Error(errors[0]?.message)
  return { authorization: `Bearer ${String(data?.['generateApiToken'])}` }
}
