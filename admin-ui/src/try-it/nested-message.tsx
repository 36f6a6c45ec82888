import { createContext, useContext, type ComponentType } from 'react'
import { isObject, type Json, type JsonObject } from './json.ts'
import type { TypeIndex } from './message-types.ts'

export type MessageFormProps = {
  typeName: string
  value: JsonObject
  types: TypeIndex
  onChange: (value: JsonObject) => void
}

/** The form of messages: given from outside to its own parts, which may hold messages again. */
export const MessageFormContext = createContext<ComponentType<MessageFormProps>>(() => null)

/** A message inside of another. */
export function NestedMessage({
  value,
  ...rest
}: Omit<MessageFormProps, 'value'> & { value: Json }) {
  const MessageForm = useContext(MessageFormContext)
  return <MessageForm {...rest} value={isObject(value) ? value : {}} />
}
