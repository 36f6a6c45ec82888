import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildBundle } from '@kre/bundle'
import type { TestApi } from './start-test-api.ts'

const MANIFEST = `krtVersion: v2
version: small-v1
description: a small one
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:8.2
workflows:
  - name: wf
    entrypoint: Call
    exitpoint: only
    nodes:
      - { name: only, image: konstellation/kre-ts:1.0, src: src/only.ts, subscriptions: [entrypoint] }
`
const PROTO = `syntax = "proto3";
package small;
// What is asked.
message Request { string text = 1; }
message Response { string text = 1; }
service Entrypoint { rpc Call (Request) returns (Response) {}; }
`

/** A real bundle, `small-v1`, of a version with one node, for an API with the real reader. */
export async function smallBundle(api: Pick<TestApi, 'dataDir'>): Promise<Buffer> {
  const directory = join(api.dataDir, 'small')
  await mkdir(join(directory, 'src'), { recursive: true })
  await writeFile(join(directory, 'kre.yaml'), MANIFEST)
  await writeFile(join(directory, 'public_input.proto'), PROTO)
  await writeFile(join(directory, 'src/only.ts'), 'export async function handle() {}\n')
  const built = await buildBundle({ directory, out: join(api.dataDir, 'small.krt') })
  if (!built.ok) throw new Error(JSON.stringify(built.issues))
  return readFile(built.file)
}

/** Runtime `demo` with version `small-v1` of that bundle. */
export async function uploadSmallBundle(api: TestApi): Promise<void> {
  await api.createRuntime()
  const { status, text } = await api.send('/api/v1/runtimes/demo/versions', {
    method: 'PUT',
    headers: api.asOwner,
    body: await smallBundle(api),
  })
  if (status !== 201) throw new Error(text)
}
