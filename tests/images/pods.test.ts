/** A whole version in pods: its manifests, its bundle out of NATS, and the images, up to the answer of a call. */
import { describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { connectRaw, frame } from '../../runners/entrypoint/src/testing/raw-client.ts'
import { startPod, type RunningPod } from './pod.ts'
import { statusOf, whyNoImages } from './podman.ts'
import { openVersionInPods } from './version-in-pods.ts'

jest.setTimeout(240_000)

const LONG = { timeoutMs: 60_000 }
const why = whyNoImages()

if (why !== null) describe.skip(`pods (skipped: ${why})`, () => test('are tried', () => undefined))
else
  test('a version of a node in TypeScript and one in Python answers from its pods', async () => {
    await using version = await openVersionInPods()
    await using pods = new AsyncDisposableStack()
    const started: RunningPod[] = []
    for (const workload of version.workloads)
      started.push(pods.use(await startPod(workload, await version.partsOf(workload))))
    const entrypoint = started.find(({ workload }) => workload.spec.kind === 'entrypoint')
    const address = `127.0.0.1:${entrypoint?.port}`
    const ask = async () => {
      await using client = await connectRaw(address)
      return await client.call('/hello.Entrypoint/Greet', frame(Buffer.from('\x0a\x06 Ada  ')))
    }
    let last: unknown = null
    const answer = await waitUntil(
      'an answer',
      async () => {
        const found = await ask().catch((error: unknown) => ({
          status: -1,
          message: String(error),
          payload: null,
        }))
        last = JSON.stringify(found)
        return found.status === 0 ? found.payload : null
      },
      LONG,
    ).catch((error: unknown) => {
      const said = started.map((pod) => `${pod.workload.id}: ${pod.said()}`)
      throw new Error(`${String(error)}; last: ${String(last)}; ${said.join('; ')}`)
    })
    expect(answer?.toString()).toBe('\x0a\x0bHello, Ada!')
    for (const { container } of started)
      expect(await statusOf(container)).toMatchObject({ CapEff: '0000000000000000' })
  })
