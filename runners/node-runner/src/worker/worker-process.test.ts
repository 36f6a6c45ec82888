import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import type { WorkerFrame } from '@kre/wire'
import { launchOf } from '../testing/start-node.ts'
import { startWorker } from './worker-process.ts'

const FAKE_WORKER = resolve(import.meta.dirname, '../testing/fake-worker.ts')
/** All that the fake worker reads of it; it ends before it would. */
const INIT = { kind: 'init', handlerPath: '', runningFile: '' } as WorkerFrame<'init'>

test('a worker whose node is stopped while it begins to start is not started', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kre-worker-'))
  const stopping = new AbortController()
  const starting = startWorker({
    launch: launchOf('one', folder, { servers: [], user: '', password: '' }),
    command: [process.execPath, FAKE_WORKER],
    environment: {},
    socketPath: join(folder, 'worker.sock'),
    init: INIT,
    onFrame: () => undefined,
    onLine: () => undefined,
    onEnd: () => undefined,
    onChannel: () => undefined,
    signal: stopping.signal,
  })
  stopping.abort()
  await expect(starting).rejects.toMatchObject({ code: 'cancelled' })
  rmSync(folder, { recursive: true })
})
