/** Ways to sign in that the engine offers; it writes them into the page. */
export function signInMethods(): { readonly mail: boolean; readonly oidc: boolean } {
  const content = document.querySelector('meta[name="kre-sign-in"]')?.getAttribute('content') ?? ''
  const offered = content.split(' ')
  return { mail: offered.includes('mail'), oidc: offered.includes('oidc') }
}
