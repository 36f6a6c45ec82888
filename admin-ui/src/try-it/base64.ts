/** Bytes as text for fields of type bytes. Pure. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  // In parts: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8_192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  return btoa(text)
}

/** Both alphabets, with or without padding; null when it is no base64. */
export function fromBase64(text: string): Uint8Array | null {
  try {
    const standard = text.replaceAll('-', '+').replaceAll('_', '/')
    return Uint8Array.from(atob(standard), (letter) => letter.charCodeAt(0))
  } catch {
    return null
  }
}

export function textToBase64(text: string): string {
  return toBase64(new TextEncoder().encode(text))
}

/** The bytes as UTF-8; null when they are none. */
export function base64ToText(base64: string): string | null {
  const bytes = fromBase64(base64)
  if (bytes === null) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}
