/** Choices that this browser keeps. Where it keeps none, for example by a policy, they hold until the page is left. */

export function readSaved(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // the browser keeps nothing for this page
  }
}

export function save(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // As above: what was chosen is shown all the same.
  }
}
