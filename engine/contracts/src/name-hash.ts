/** 8 hexadecimal characters that tell names apart (FNV-1a, 32 bits): an identity aid, not a security measure. */
export function createNameHash(text: string): string {
  return fnv1a(text).toString(16).padStart(8, '0')
}

/** FNV-1a over the UTF-16 code units of `text`, continued from `seed`: unsigned 32 bits. */
export function fnv1a(text: string, seed = 0x811c9dc5): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
