/** The process that strips types: `[path, text][]` in JSON from stdin to stdout, without what can't be stripped. */
import { createTypeStripper } from './type-stripper.ts'

const chunks: Uint8Array[] = []
for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
const sources = JSON.parse(Buffer.concat(chunks).toString()) as [path: string, text: string][]
const code: [path: string, text: string][] = []
await using stripper = createTypeStripper()
for (const [path, text] of sources) {
  const stripped = await stripper.strip(text)
  // Who loads what is no TypeScript that can be stripped tells its author why.
  if (stripped !== null && 'code' in stripped) code.push([path, stripped.code])
}
process.stdout.write(JSON.stringify(code))
