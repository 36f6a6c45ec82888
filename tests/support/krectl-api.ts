import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { processStartTime } from '@kre/service-kit'
import {
  BOOTSTRAP_TOKEN,
  startTestApi,
  type TestApi,
} from '../../engine/admin-api/src/testing/start-test-api.ts'

/** The real admin API without an engine behind it, in a data folder where krectl finds it as if it were one. */
export async function startKrectlApi(): Promise<TestApi> {
  const api = await startTestApi()
  await writeFile(join(api.dataDir, 'token'), BOOTSTRAP_TOKEN)
  const record = {
    pid: process.pid,
    startTime: await processStartTime(process.pid),
    adminUrl: api.url,
    startedAt: new Date().toISOString(),
  }
  await writeFile(join(api.dataDir, 'engine.json'), JSON.stringify(record))
  return api
}
