/** What is asked of a server over REST. */
import { type Check, expectThat, Skipped, Unmet } from './check.ts'
import { binaryInputs, type Metadata, type RestInput, restInputs } from './sample-tensors.ts'

type Answer = { status: number; headers: Headers; json: Record<string, unknown>; bytes: Buffer }

const UNKNOWN = 'no-such-thing-of-oip-check'
const JSON_LENGTH = 'inference-header-content-length'

/** @param baseUrl without a slash at its end. */
export function restChecks(baseUrl: string, model: string, signal: AbortSignal): Check[] {
  const check = (id: string, name: string, run: Check['run']): Check => ({
    id,
    name,
    run,
    protocol: 'rest',
  })
  const path = `/v2/models/${encodeURIComponent(model)}`
  const get = (at: string) => send(baseUrl + at, { signal })
  const post = (at: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    send(baseUrl + at, {
      method: 'POST',
      body: Buffer.from(body),
      headers: { 'content-type': 'application/json', ...headers },
      signal,
    })
  const infer = (body: object | string, headers?: Record<string, string>) =>
    post(`${path}/infer`, typeof body === 'string' ? body : JSON.stringify(body), headers)
  const metadata = async (): Promise<Metadata> =>
    toMetadata((await expectStatus(200, get(path))).json)
  const inputs = async () => restInputs(await metadata())
  const refused = (id: string, name: string, body: (inputs: RestInput[]) => object | string) =>
    check(id, name, async () => expectError(400, infer(body(await inputs()))))
  const first = (all: RestInput[], more: Partial<RestInput>) => ({
    inputs: all.map((input, i) => (i === 0 ? { ...input, ...more } : input)),
  })

  return [
    check('O9', 'the server is live and ready', async () => {
      const live = await expectStatus(200, get('/v2/health/live'))
      const ready = await expectStatus(200, get('/v2/health/ready'))
      expectThat(live.json['live'] === true, 'live is not {"live": true}')
      expectThat(ready.json['ready'] === true, 'ready is not {"ready": true}')
    }),
    check('O9', 'the server has a name, with and without a slash behind /v2', async () => {
      for (const at of ['/v2', '/v2/']) {
        const { json } = await expectStatus(200, get(at))
        expectThat(typeof json['name'] === 'string', `${at} has no name`)
      }
    }),
    check('O9', 'the model is ready and described, with and without its version', async () => {
      const { versions } = await metadata()
      for (const at of [path, ...versions.slice(0, 1).map((each) => `${path}/versions/${each}`)]) {
        const { json } = await expectStatus(200, get(`${at}/ready`))
        expectThat(json['ready'] === true, `${at}/ready is not {"ready": true}`)
        toMetadata((await expectStatus(200, get(at))).json)
      }
    }),
    check('O1', 'an inference echoes its id', async () => {
      const { json } = await expectStatus(200, infer({ id: 'check-1', inputs: await inputs() }))
      expectThat(json['id'] === 'check-1', `the id came back as ${JSON.stringify(json['id'])}`)
    }),
    check('O10', 'binary tensors come in behind the JSON and go out behind it', async () => {
      const { inputs: tensors, binary } = binaryInputs(await metadata())
      const request = { inputs: tensors, parameters: { binary_data_output: true } }
      const head = Buffer.from(JSON.stringify(request))
      const answer = await expectStatus(
        200,
        post(`${path}/infer`, Buffer.concat([head, binary]), {
          [JSON_LENGTH]: String(head.length),
        }),
      )
      const length = Number(answer.headers.get(JSON_LENGTH))
      const sizes = (
        answer.json['outputs'] as { parameters?: { binary_data_size?: number } }[]
      ).map(({ parameters }) => parameters?.binary_data_size ?? 0)
      const total = sizes.reduce((sum, size) => sum + size, 0)
      expectThat(answer.bytes.length - length === total, 'binary_data_size and the bytes disagree')
    }),
    refused('O11', 'malformed JSON is refused', () => '{"inputs": ['),
    refused('O11', 'a request without inputs is refused', () => ({})),
    refused('O11', 'inputs that are no list are refused', () => ({ inputs: {} })),
    refused('O11', 'data that is no list is refused', (all) =>
      first(all, { data: 'x' as unknown as unknown[] }),
    ),
    refused('O12', 'an unknown datatype is refused', (all) => first(all, { datatype: 'FP8' })),
    refused('O13', 'a shape of more elements than the data is refused', (all) =>
      first(all, { shape: (all[0]?.shape ?? []).map(() => 1000) }),
    ),
    check('O15', 'an unknown model or version is 404', async () => {
      const body = JSON.stringify({ inputs: await inputs() })
      for (const at of [`/v2/models/${UNKNOWN}`, `${path}/versions/${UNKNOWN}`]) {
        await expectError(404, get(at))
        await expectError(404, get(`${at}/ready`))
        await expectError(404, post(`${at}/infer`, body))
      }
    }),
    refused('O16', 'an unknown input is refused', (all) => first(all, { name: UNKNOWN })),
    refused('O16', 'a missing input is refused', (all) => ({ inputs: all.slice(1) })),
    refused('O16', 'an input twice is refused', (all) => ({
      inputs: [...all, ...all.slice(0, 1)],
    })),
    refused('O16', 'an unknown output is refused', (all) => ({
      inputs: all,
      outputs: [{ name: UNKNOWN }],
    })),
    check('O17', 'an integer beyond its type is refused', async () => {
      const all = await inputs()
      const target = all.find(({ datatype }) => /INT/.test(datatype))
      if (target === undefined) throw new Skipped('the model takes no integers')
      const marked = all.map((each) => (each === target ? { ...each, data: ['MARK'] } : each))
      await expectError(
        400,
        infer(JSON.stringify({ inputs: marked }).replace('"MARK"', '36893488147419103232')),
      )
    }),
    refused('O17', 'a bare NaN is refused', (all) =>
      JSON.stringify(first(all, { data: ['MARK'] })).replace('"MARK"', 'NaN'),
    ),
    check('O18', 'a wrong binary size is refused', async () => {
      const { inputs: tensors, binary } = binaryInputs(await metadata())
      const head = Buffer.from(JSON.stringify({ inputs: tensors }))
      const body = Buffer.concat([head, binary, Buffer.alloc(3)])
      await expectError(400, post(`${path}/infer`, body, { [JSON_LENGTH]: String(head.length) }))
      await expectError(
        400,
        post(`${path}/infer`, head, { [JSON_LENGTH]: String(head.length + 9) }),
      )
    }),
  ]
}

async function send(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const bytes = Buffer.from(await response.arrayBuffer())
  const length = response.headers.get(JSON_LENGTH)
  const text = String(length === null ? bytes : bytes.subarray(0, Number(length)))
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new Unmet(
      `${url} answers ${response.status} with what is not JSON: ${text.slice(0, 80)}`,
      {
        cause,
      },
    )
  }
  const { status, headers } = response
  return { status, headers, bytes, json: json as Answer['json'] }
}

async function expectStatus(wanted: number, asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked
  if (answer.status === wanted) return answer
  const { error } = answer.json
  throw new Unmet(`expected ${wanted}, got ${answer.status}: ${String(error)}`)
}

/** O7: the status, and the error in the protocol's form. */
async function expectError(wanted: number, asked: Promise<Answer>): Promise<void> {
  const { json } = await expectStatus(wanted, asked)
  expectThat(typeof json['error'] === 'string', 'the answer is not {"error": "…"}')
}

type RestTensor = { name: string; datatype: string; shape: (number | string)[] }

function toMetadata(json: Record<string, unknown>): Metadata {
  const { name, versions = [], inputs, outputs } = json
  if (!Array.isArray(inputs) || !Array.isArray(outputs) || typeof name !== 'string')
    throw new Unmet('the metadata has no name, inputs or outputs')
  const tensors = (side: RestTensor[]) =>
    side.map((tensor) => ({
      $typeName: 'inference.ModelMetadataResponse.TensorMetadata' as const,
      name: tensor.name,
      datatype: tensor.datatype,
      shape: tensor.shape.map(BigInt),
    }))
  return {
    name,
    versions: versions as string[],
    inputs: tensors(inputs as RestTensor[]),
    outputs: tensors(outputs as RestTensor[]),
  }
}
