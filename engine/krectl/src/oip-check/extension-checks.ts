/** What is asked of the extensions that a server has; none of them is a must. */
import { Code, ConnectError } from '@connectrpc/connect'
import type { ModelStreamInferResponse } from '@kre/contracts/oip'
import { type Check, expectThat, Skipped, wishThat } from './check.ts'
import { type Oip, UNKNOWN } from './grpc-checks.ts'
import { type RestAnswer, sendRest } from './rest-answer.ts'
import { grpcInputs, type Metadata } from './sample-tensors.ts'

export function extensionChecks(
  client: Oip,
  baseUrl: string,
  model: string,
  signal: AbortSignal,
): Check[] {
  const path = `/v2/models/${encodeURIComponent(model)}`
  const get = (at: string) => served(sendRest(baseUrl + at, {}, signal))
  const infer = async (metadata: Metadata) =>
    client.modelInfer({ modelName: model, inputs: grpcInputs(metadata) })
  const metadata = (): Promise<Metadata> => client.modelMetadata({ name: model })
  const inferences = async () => {
    const { modelStats } = await known(client.modelStatistics({ name: model }))
    return Number(modelStats[0]?.inferenceCount ?? -1)
  }

  return [
    {
      id: 'X1',
      protocol: 'grpc',
      name: 'a stream answers each request in order, and goes on after a failed one',
      run: () => checkStream(client, model, metadata),
    },
    {
      id: 'X2',
      protocol: 'grpc',
      name: 'the repository index has the model',
      async run() {
        const { models } = await known(client.repositoryIndex({}))
        expectIndexed(models, model)
      },
    },
    {
      id: 'X2',
      protocol: 'rest',
      name: 'the repository index has the model',
      async run() {
        const headers = { 'content-type': 'application/json' }
        const init = { method: 'POST', body: '{}', headers }
        const { text } = await served(sendRest(`${baseUrl}/v2/repository/index`, init, signal))
        const models = JSON.parse(text) as { name?: unknown; state?: unknown }[]
        expectThat(Array.isArray(models), 'the index is no list')
        expectIndexed(models, model)
      },
    },
    {
      id: 'X3',
      protocol: 'grpc',
      name: 'the configuration has the tensors of the metadata',
      async run() {
        const { config } = await known(client.modelConfig({ name: model }))
        expectSameTensors(config, await metadata())
      },
    },
    {
      id: 'X3',
      protocol: 'rest',
      name: 'the configuration has the tensors of the metadata',
      async run() {
        const { json } = await get(`${path}/config`)
        expectSameTensors(json as Config, await metadata())
      },
    },
    {
      id: 'X4',
      protocol: 'grpc',
      name: 'the statistics count an inference',
      async run() {
        const before = await inferences()
        await infer(await metadata())
        const after = await inferences()
        expectThat(after > before, `there were ${before} inferences before, and ${after} after`)
      },
    },
    {
      id: 'X4',
      protocol: 'rest',
      name: 'the statistics have the model',
      async run() {
        const { json } = await get(`${path}/stats`)
        const all = json['model_stats'] as { name?: unknown; inference_count?: unknown }[]
        expectThat(
          Array.isArray(all) && Number(all[0]?.inference_count) >= 0,
          'model_stats has no inference_count',
        )
      },
    },
  ]
}

async function checkStream(client: Oip, model: string, metadata: () => Promise<Metadata>) {
  const inputs = grpcInputs(await metadata())
  const names = [model, UNKNOWN, model]
  const requests = names.map((modelName, i) => ({ modelName, id: `check-${i}`, inputs }))
  const answers: ModelStreamInferResponse[] = []
  const read = async () => {
    for await (const answer of client.modelStreamInfer(eachOf(requests))) answers.push(answer)
  }
  await known(read())
  // Some servers have streams for some of their models only.
  const { errorMessage = '' } = answers[0] ?? {}
  wishThat(errorMessage === '', `the server streams, and not this model: ${errorMessage}`)
  const failed = answers.map(({ errorMessage }) => errorMessage !== '')
  expectThat(
    failed.join() === 'false,true,false',
    `expected an answer, a failure and an answer, got ${answers.length}: ${failed.map((each) => (each ? 'failure' : 'answer')).join(', ')}`,
  )
  const ids = [answers[0], answers[2]].map((answer) => answer?.inferResponse?.id)
  expectThat(ids.join() === 'check-0,check-2', `the ids came back as ${ids.join(', ')}`)
}

async function* eachOf<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all
}

type Config = { name?: string; input?: { name: string }[]; output?: { name: string }[] }

function expectSameTensors(config: Config | undefined, { inputs, outputs }: Metadata): void {
  const names = (side: readonly { name: string }[] = []) => side.map(({ name }) => name).join(', ')
  expectThat(
    names(config?.input) === names(inputs) && names(config?.output) === names(outputs),
    `the configuration has ${names(config?.input)} and ${names(config?.output)}`,
  )
}

/** A server may list a model under a longer name than the one it is asked for. */
function expectIndexed(models: readonly { name?: unknown }[], model: string): void {
  expectThat(
    models.some(({ name }) => name === model || String(name).endsWith(`.${model}`)),
    `the index has ${models.map(({ name }) => String(name)).join(', ')}`,
  )
}

/** @throws Skipped when the server has no such rpc. */
async function known<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const { code } = ConnectError.from(error)
    if (code === Code.Unimplemented) throw new Skipped('the server has no such rpc')
    throw error
  }
}

/** @throws Skipped when the server has no such path. */
async function served(asked: Promise<RestAnswer>): Promise<RestAnswer> {
  const answer = await asked
  if ([404, 405, 501].includes(answer.status)) throw new Skipped('the server has no such path')
  expectThat(answer.status === 200, `expected 200, got ${answer.status}`)
  return answer
}
