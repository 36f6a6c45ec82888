/** The page names its icon relative to where it was opened; after a step to another address that leads elsewhere. */
export function pinIcon(): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  link?.setAttribute('href', link.href)
}
