import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Chain = { version: string; nodes: number; language: 'typescript' | 'python' }

const PROTO = `syntax = "proto3";
package bench;
service Entrypoint { rpc Echo(Payload) returns (Payload); }
message Payload { bytes data = 1; }
`
const HANDLERS = {
  typescript: {
    file: 'echo.ts',
    image: 'konstellation/kre-ts:1.0',
    code: 'export function defaultHandler(ctx, data) {\n  return ctx.sendAny(data)\n}\n',
  },
  python: {
    file: 'echo.py',
    image: 'konstellation/kre-py:3.4',
    code: 'async def default_handler(ctx, data):\n    await ctx.send_any(data)\n',
  },
}

/** Writes a bundle whose nodes pass on what they get, one after the other. */
export async function writeChainBundle(
  directory: string,
  { version, nodes, language }: Chain,
): Promise<void> {
  const { file, image, code } = HANDLERS[language]
  const list = Array.from({ length: nodes }, (_, i) => {
    const from = i === 0 ? 'entrypoint' : `n${i}`
    return `      - { name: n${i + 1}, image: ${image}, src: ${file}, subscriptions: [${from}] }`
  })
  const manifest = `krtVersion: v2
version: ${version}
description: ${nodes} echo nodes
entrypoint: { proto: public_input.proto, image: konstellation/kre-entrypoint:8.2 }
workflows:
  - name: echo
    entrypoint: Echo
    exitpoint: n${nodes}
    nodes:
${list.join('\n')}
`
  await mkdir(directory, { recursive: true })
  await Promise.all([
    writeFile(join(directory, 'kre.yaml'), manifest),
    writeFile(join(directory, 'public_input.proto'), PROTO),
    writeFile(join(directory, file), code),
  ])
}
