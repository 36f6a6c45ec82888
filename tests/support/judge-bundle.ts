/** A bundle that keeps predictions as it is told to, and whose every text is hostile. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Runs where it becomes markup; is read where it stays text. */
export const HOSTILE = `<img src=x onerror="window.taken=1">"'</script><script>window.taken=1</script>{{7*7}}`

const MANIFEST = `krtVersion: v2
version: judge-v1
description: ${JSON.stringify(HOSTILE)}
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:8.2
config:
  variables: [LIMIT, SIGNATURE]
workflows:
  - name: judge
    entrypoint: Judge
    exitpoint: judge
    nodes:
      - { name: judge, image: konstellation/kre-ts:1.0, src: src/judge.ts, subscriptions: [entrypoint] }
`
const PROTO = `syntax = "proto3";
package judge;

// ${HOSTILE}
service Entrypoint {
  // Rpc: ${HOSTILE}
  rpc Judge(Case) returns (Case);
}

// Message: ${HOSTILE}
message Case {
  // Field: ${HOSTILE}
  string said = 1;
  string truth = 2;
  // Empty, missing_values or new_labels.
  string error = 3;
  int32 days_ago = 4;
}
`
const SOURCE = `const DAY_MS = 86_400_000
export async function defaultHandler(ctx, data) {
  const { said, truth, error, daysAgo } = ctx.unpack(data)
  const date = new Date(Date.now() - daysAgo * DAY_MS)
  await ctx.prediction.save({ predictedValue: said, trueValue: truth, error, date })
  ctx.logger.info(said)
  await ctx.sendAny(data)
}
`
const DOCUMENT = `# Judge

${HOSTILE}

[out](javascript:window.taken=1) <a href="javascript:window.taken=1">in</a> ![spy](https://evil.example/a.png)
`

/** Writes the bundle's folder. */
export async function makeJudgeBundle(folder: string): Promise<void> {
  for (const name of ['src', 'docs']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'kre.yaml'), MANIFEST)
  await writeFile(join(folder, 'public_input.proto'), PROTO)
  await writeFile(join(folder, 'src/judge.ts'), SOURCE)
  await writeFile(join(folder, 'docs/README.md'), DOCUMENT)
}

export type Case = { said: string; truth: string; error?: string; daysAgo?: number }

/** @param address of the published version. @throws Error for a refusal, with its words. */
export async function judge(address: string, one: Case): Promise<void> {
  const answer = await fetch(`http://${address}/judge.Entrypoint/Judge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(one),
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
}
