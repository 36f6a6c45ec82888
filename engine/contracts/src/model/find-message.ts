import type { MessageCatalog, MessageType } from './message-catalog.ts'
import { quoted } from './tensor-type.ts'
import { list, type ReportProblem } from './plan-problem.ts'

/** The message that a model node reads or sends: by the manifest's word, else the rpc's. Null when there is none, which is reported. */
export function findMessage(
  catalog: MessageCatalog,
  name: string | null,
  ofRpc: string | null,
  side: 'input' | 'output',
  report: ReportProblem,
): MessageType | null {
  const add = (message: string, hint: string) => {
    report({ path: name === null ? [] : [side], what: 'message', message, hint })
    return null
  }
  if (name === null) {
    const message = ofRpc === null ? undefined : catalog.get(ofRpc)
    if (message !== undefined) return message
    return side === 'input'
      ? add(
          'what it receives is known to the code of other nodes alone',
          'name the message in tensors.input',
        )
      : add(
          'what it shall send is not said: it is not the exitpoint',
          'name the message in tensors.output',
        )
  }
  const exact = catalog.get(name)
  const found = exact === undefined ? endingWith(catalog, name) : [exact]
  const [message] = found
  const shown = quoted(name)
  if (message === undefined)
    return add(`no message ${shown} is in the protos`, `known are ${list([...catalog.keys()])}`)
  if (found.length > 1)
    return add(`${shown} may be ${list(found.map((other) => other.name))}`, 'write the full name')
  if (side === 'output' && ofRpc !== null && message.name !== ofRpc)
    return add(
      `it is the exitpoint, so it must send ${ofRpc}, not ${message.name}`,
      'remove tensors.output',
    )
  return message
}

function endingWith(catalog: MessageCatalog, name: string): MessageType[] {
  return [...catalog.values()].filter((message) => message.name.endsWith(`.${name}`))
}
