import type { AdminClient } from './admin-client.ts'

/** A link that signs a browser in, once. @param user null = the owner of the development token. */
export async function createLoginUrl(
  client: AdminClient,
  { renew, user }: { renew: boolean; user: string | null },
): Promise<string> {
  const query = new URLSearchParams({
    ...(renew ? { new: '1' } : {}),
    ...(user === null ? {} : { user }),
  })
  return (await client.rest<{ url: string }>('POST', `/api/v1/auth/login-link?${query}`)).url
}
