/** The first program of a pod: `POD_UID` names the pod; exits with 0 when its process can start. */
import { toKreError } from '@kre/contracts/pod'
import { pickEnvironment } from '../../local/pick-environment.ts'
import { POD } from '../pod-layout.ts'
import { preparePod } from './prepare-pod.ts'

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
try {
  await preparePod({
    folders: POD,
    uid: process.env['POD_UID'] ?? '',
    python: 'python3',
    env: pickEnvironment(process.env).forPip,
    // An entrypoint needs neither NATS nor these: loading them takes longer than all that is done for it.
    connect: async (access) => (await import('./open-part-source.ts')).openPartSource(access),
    tools: {
      extractBundle: async (...of) => (await import('@kre/bundle/extract')).extractBundle(...of),
      writePythonModules: async (...of) =>
        (await import('@kre/bundle/python-modules')).writePythonModules(...of),
    },
    signal: stop.signal,
  })
} catch (error) {
  process.stderr.write(`${toKreError(error).message}\n`)
  process.exit(1)
}
