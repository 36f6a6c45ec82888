import type { DescMessage, DescMethod } from '@bufbuild/protobuf'
import { isRouted, type RoutedMethod, type ServedMethod } from '../versions/served-version.ts'

/** An rpc whose messages are known. */
export type TypedMethod = {
  readonly served: ServedMethod
  readonly descriptor: DescMethod
  readonly input: DescMessage
  readonly output: DescMessage
}

/** One that has a workflow. */
export type CallableMethod = TypedMethod & { readonly served: RoutedMethod }

export function isCallable(method: TypedMethod): method is CallableMethod {
  return isRouted(method.served)
}
