import { normalisePath } from './bundle-path.ts'
import { readYaml } from './yaml-reader.ts'

/**
 * The path of the entrypoint's proto, without validating the rest: the bundle reader compiles the proto first
 * and then validates manifest and service together. Null when it can't be read; the validation says why.
 */
export function readEntrypointProto(text: string): string | null {
  const root = readYaml(text, '').document?.value
  const proto = member(member(root, 'entrypoint'), 'proto')
  return typeof proto === 'string' && proto !== '' ? normalisePath(proto) : null
}

function member(value: unknown, key: string): unknown {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key]
}
