/** The process that strips types: `[path, text][]` in JSON from stdin to stdout, without what can't be stripped. */
import { stripTypeScriptTypes } from 'node:module'

const chunks: Uint8Array[] = []
for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
const sources = JSON.parse(Buffer.concat(chunks).toString()) as [path: string, text: string][]
const code = sources.flatMap(([path, text]) => {
  const stripped = strip(text)
  return stripped === null ? [] : [[path, stripped]]
})
process.stdout.write(JSON.stringify(code))

/** @returns null for what is no TypeScript that can be stripped: who loads it tells its author why. */
function strip(text: string): string | null {
  try {
    return stripTypeScriptTypes(text)
  } catch {
    return null
  }
}
