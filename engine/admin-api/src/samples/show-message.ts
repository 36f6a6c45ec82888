import type { MessageTypes } from '@kre/bundle'
import { toKreError } from '@kre/contracts'
import type { MessagePart } from '@kre/store'

/** A kept message as it is told to somebody. */
export type ShownMessage = {
  readonly type: string
  /** Of the whole message. */
  readonly bytes: number
  /** Only its first bytes were kept. */
  readonly isCut: boolean
  /** Its contents are not for this caller. */
  readonly isHidden: boolean
  readonly json: string | null
  /** Why there is no JSON form although the contents are told; empty otherwise. */
  readonly problem: string
  readonly base64: string | null
}
export type ShowMessage = (part: MessagePart) => ShownMessage

/** @param maySee whether the caller may see contents of requests. */
export function createShowMessage(types: MessageTypes, maySee: boolean): ShowMessage {
  return function show({ typeName, bytes, data }) {
    const isCut = data.length < bytes
    const head = { type: typeName, bytes, isCut, isHidden: !maySee }
    if (!maySee) return { ...head, json: null, problem: '', base64: null }
    const base64 = Buffer.from(data).toString('base64')
    if (isCut)
      return {
        ...head,
        json: null,
        problem: `only the first ${data.length} bytes were kept`,
        base64,
      }
    try {
      return { ...head, json: types.toJson(typeName, data), problem: '', base64 }
    } catch (error) {
      return { ...head, json: null, problem: toKreError(error).message, base64 }
    }
  }
}
