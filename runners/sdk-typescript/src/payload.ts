/** Type and bytes of a message; structurally a `google.protobuf.Any`. */
export type Payload = { readonly typeUrl: string; readonly value: Uint8Array }

export const TYPE_URL_PREFIX = 'type.googleapis.com/'

export function typeNameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
}

export function isPayload(message: unknown): message is Payload {
  if (typeof message !== 'object' || message === null) return false
  const { typeUrl, value, $typeName } = message as Partial<Payload> & { $typeName?: string }
  return (
    typeof typeUrl === 'string' &&
    value instanceof Uint8Array &&
    ($typeName === undefined || $typeName === 'google.protobuf.Any')
  )
}
