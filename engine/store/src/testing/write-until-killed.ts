/** Writes releases and batches of documents without end; run as a process of its own, to be killed. */
import { openSqliteStore } from '../sqlite/open-sqlite-store.ts'
import { sampleDocument, sampleRelease, sampleRuntime } from './sample-records.ts'

const store = await openSqliteStore({ dataDir: process.argv[2] ?? '' })
if ((await store.runtimes.find('demo')) === null) await store.runtimes.create(sampleRuntime())
let generation = (await store.releases.current('demo'))?.generation ?? 0
for (;;) {
  generation += 1
  await store.outputs.write(
    Array.from({ length: 50 }, (_, part) =>
      sampleDocument(`${generation}/${part}`, { generation, part }),
    ),
  )
  await store.releases.append(sampleRelease(generation))
  process.stdout.write(`${generation}\n`)
}
