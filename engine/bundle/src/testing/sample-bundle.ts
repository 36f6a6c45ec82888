/** A small valid bundle with a TypeScript and a Python node. */
export const SAMPLE_MANIFEST = `krtVersion: v2
version: intake-v3 # the version
description: Splits incoming requests.
entrypoint: { proto: public_input.proto, image: konstellation/kre-entrypoint:1 }
workflows:
  - name: intake
    entrypoint: Classify
    exitpoint: reply
    nodes:
      - { name: prepare, image: konstellation/kre-ts:1, src: src/prepare.ts, subscriptions: [entrypoint] }
      - { name: reply, image: konstellation/kre-py:1, src: src/reply.py, subscriptions: [prepare] }
`

export const SAMPLE_PROTO = `syntax = "proto3";
package digits;
message Image { bytes pixels = 1; }
message Digit { int32 value = 1; }
service Entrypoint {
  rpc Classify (Image) returns (Digit);
}
`

export const SAMPLE_FILES: Readonly<Record<string, string>> = {
  'kre.yaml': SAMPLE_MANIFEST,
  'public_input.proto': SAMPLE_PROTO,
  'src/prepare.ts': 'export const handle = async (data: unknown): Promise<void> => void data\n',
  'src/reply.py': 'async def handle(ctx, data):\n    await ctx.send_output(data)\n',
}
