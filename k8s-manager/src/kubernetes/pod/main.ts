/** The first program of a pod: `POD_UID` names the pod; exits with 0 when its process can start. */
import { extractBundle, writePythonModules } from '@kre/bundle'
import { toKreError } from '@kre/contracts'
import { POD } from '../pod-layout.ts'
import { preparePod } from './prepare-pod.ts'

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
try {
  const tools = { extractBundle, writePythonModules }
  await preparePod({ folders: POD, uid: process.env['POD_UID'] ?? '', tools, signal: stop.signal })
} catch (error) {
  process.stderr.write(`${toKreError(error).message}\n`)
  process.exitCode = 1
}
