/** Model configuration, statistics and the repository, over gRPC and REST. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS } from '@kre/contracts'
import { DataType, GRPCInferenceService } from '@kre/contracts/oip'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { type DoorsScene, openDoors } from '../../testing/doors-version.ts'
import { frame } from '../../testing/raw-client.ts'
import { type DecoupledScene, openDecoupled } from './testing/decoupled-version.ts'
import { callOip, tensorsRequest } from './testing/oip-grpc-client.ts'
import { restBody, sendRest } from './testing/oip-rest-client.ts'

const { method } = GRPCInferenceService
const { 'not-found': notFound, unimplemented } = GRPC_STATUS

let nats: TestNats
let scene: DoorsScene
let decoupled: DecoupledScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats)
  decoupled = await openDecoupled(nats)
})
afterAll(async () => {
  await decoupled[Symbol.asyncDispose]()
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

describe('the configuration of a model', () => {
  test('has its tensors, over gRPC', async () => {
    const { response } = await callOip(scene, method.modelConfig, { name: 'demo-rt.tensors' })
    expect(response.config).toMatchObject({
      name: 'demo-rt.tensors',
      platform: 'kre',
      maxBatchSize: 0,
      modelTransactionPolicy: { decoupled: false },
    })
    expect(response.config?.input[0]).toMatchObject({
      name: 'floats',
      dataType: DataType.TYPE_FP32,
      dims: [-1n],
      optional: false,
    })
    expect(response.config?.input.at(-1)).toMatchObject({ name: 'maybe', optional: true })
    expect(response.config?.output.at(7)).toMatchObject({
      name: 'texts',
      dataType: DataType.TYPE_STRING,
    })
  })

  test('has its tensors, over REST', async () => {
    const { status, json } = await sendRest(scene, '/v2/models/everything/config')
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        name: 'everything',
        platform: 'kre',
        backend: 'kre',
        max_batch_size: 0,
        input: [{ name: 'request', data_type: 'TYPE_STRING', dims: [1], optional: false }],
        output: [{ name: 'response', data_type: 'TYPE_STRING', dims: [1] }],
        model_transaction_policy: { decoupled: false },
      },
    })
  })

  test('says that a workflow answers with a stream', async () => {
    const { response } = await callOip(decoupled, method.modelConfig, { name: 'tensors' })
    expect(response.config?.modelTransactionPolicy?.decoupled).toBe(true)
    const single = await sendRest(decoupled, '/v2/models/single/config')
    expect(single.json['model_transaction_policy']).toEqual({ decoupled: false })
  })
})

describe('the statistics of a model', () => {
  const counts = async () => {
    const { response } = await callOip(scene, method.modelStatistics, { name: 'tensors' })
    const { success, fail } = response.modelStats[0]?.inferenceStats ?? {}
    return { success: Number(success?.count), fail: Number(fail?.count) }
  }

  test('count what went well and what failed, whichever way it came', async () => {
    const before = await counts()
    await callOip(scene, method.modelInfer, tensorsRequest())
    await callOip(scene, method.modelInfer, tensorsRequest({ floats: null }))
    const init = { method: 'POST', body: restBody() }
    await sendRest(scene, '/v2/models/demo-rt.tensors/infer', init)
    expect(await counts()).toEqual({ success: before.success + 2, fail: before.fail + 1 })
    const { json } = await sendRest(scene, '/v2/models/tensors/stats')
    const [stats] = json['model_stats'] as [
      { last_inference: number; inference_stats: Record<string, { count: number; ns: number }> },
    ]
    expect(Math.abs(Date.now() - stats.last_inference)).toBeLessThan(60_000)
    const { success, compute_input, compute_infer, compute_output } = stats.inference_stats
    const parts = [compute_input, compute_infer, compute_output].map((each) => each?.ns ?? 0)
    const sum = parts.reduce((total, ns) => total + ns, 0)
    // Each is rounded to a whole number of its own.
    expect(Math.abs((success?.ns ?? 0) - sum)).toBeLessThanOrEqual(3)
  })

  test('are of all models when none is named', async () => {
    const { response } = await callOip(scene, method.modelStatistics, {})
    const names = ['demo-rt.everything', 'demo-rt.tensors']
    expect(response.modelStats.map(({ name }) => name)).toEqual(names)
    const { json } = await sendRest(scene, '/v2/models/stats')
    const all = json['model_stats'] as { name: string; version: string }[]
    expect(all.map(({ name }) => name)).toEqual(names)
    expect(all[0]?.version).toBe(scene.version)
  })

  test('are not announced for a version whose name perf_analyzer can not read', async () => {
    const { response } = await callOip(scene, method.serverMetadata, {})
    expect(response.extensions).not.toContain('statistics')
  })
})

test('configuration and statistics of what is not there are NOT_FOUND, 404', async () => {
  for (const wrong of [{ name: 'nobody' }, { name: 'tensors', version: 'v0' }])
    for (const rpc of [method.modelConfig, method.modelStatistics])
      expect((await callOip(scene, rpc, wrong)).status).toBe(notFound)
  for (const path of ['nobody/config', 'nobody/stats', 'tensors/versions/v0/stats'])
    expect((await sendRest(scene, `/v2/models/${path}`)).status).toBe(404)
})

test('models are not loaded or unloaded, and the refusal says what is done in place of it', async () => {
  const text = 'krectl version'
  for (const rpc of ['RepositoryModelLoad', 'RepositoryModelUnload']) {
    const path = `/inference.GRPCInferenceService/${rpc}`
    const { status, message } = await scene.client.call(path, frame(''))
    expect({ status, message }).toEqual({
      status: unimplemented,
      message: expect.stringContaining(text),
    })
  }
  for (const verb of ['load', 'unload']) {
    const path = `/v2/repository/models/tensors/${verb}`
    expect(await sendRest(scene, path, { method: 'POST', body: '{}' })).toMatchObject({
      status: 501,
      json: { error: expect.stringContaining(text) },
    })
  }
})
