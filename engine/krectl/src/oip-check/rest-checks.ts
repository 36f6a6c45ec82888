/** What is asked of a server over REST. */
import { type Check, expectThat, type Rule, Skipped, wishThat } from './check.ts'
import { UNKNOWN } from './grpc-checks.ts'
import { expectError, expectStatus, JSON_LENGTH, sendRest, toMetadata } from './rest-answer.ts'
import { binaryInputs, type Metadata, type RestInput, restInputs } from './sample-tensors.ts'

/** The extension that O10 and O18 are about. */
const BINARY = 'binary_tensor_data'

/** @param baseUrl without a slash at its end. */
export function restChecks(baseUrl: string, model: string, signal: AbortSignal): Check[] {
  const check = (id: string, name: string, run: Check['run']): Check => ({
    id,
    name,
    run,
    protocol: 'rest',
  })
  const path = `/v2/models/${encodeURIComponent(model)}`
  const get = (at: string) => sendRest(baseUrl + at, {}, signal)
  const post = (at: string, body: string | Uint8Array, headers: Record<string, string> = {}) => {
    const all = { 'content-type': 'application/json', ...headers }
    return sendRest(baseUrl + at, { method: 'POST', body: Buffer.from(body), headers: all }, signal)
  }
  const infer = (body: object | string, headers?: Record<string, string>) =>
    post(`${path}/infer`, typeof body === 'string' ? body : JSON.stringify(body), headers)
  const metadata = async (): Promise<Metadata> => toMetadata(await expectStatus(200, get(path)))
  const postBinary = (body: Uint8Array, jsonLength: number) =>
    post(`${path}/infer`, body, {
      'content-type': 'application/octet-stream',
      [JSON_LENGTH]: String(jsonLength),
    })
  const inferBinary = async () => {
    const { inputs: tensors, binary } = binaryInputs(await metadata())
    const request = { inputs: tensors, parameters: { binary_data_output: true } }
    const head = Buffer.from(JSON.stringify(request))
    return postBinary(Buffer.concat([head, binary]), head.length)
  }
  /** Some servers have the extension, and do not announce it. */
  const expectBinary = async () => {
    const { extensions = [] } = (await expectStatus(200, get('/v2'))).json
    const isAnnounced = Array.isArray(extensions) && extensions.includes(BINARY)
    if (!isAnnounced && (await inferBinary()).status !== 200)
      throw new Skipped(`the server has no extension ${BINARY}`)
  }
  const inputs = async () => restInputs(await metadata())
  const refused = (
    id: string,
    rule: Rule,
    name: string,
    body: (inputs: RestInput[]) => object | string,
  ) => check(id, name, async () => expectError(400, infer(body(await inputs())), rule))
  const first = (all: RestInput[], more: Partial<RestInput>) => ({
    inputs: all.map((input, i) => (i === 0 ? { ...input, ...more } : input)),
  })

  return [
    check('O9', 'the server is live and ready', async () => {
      const live = await expectStatus(200, get('/v2/health/live'))
      const ready = await expectStatus(200, get('/v2/health/ready'))
      wishThat(live.json['live'] === true, 'live is not {"live": true}')
      // The text has a "live" there, too.
      const { json } = ready
      wishThat(json['ready'] === true || json['live'] === true, 'ready is not {"ready": true}')
    }),
    check('O9', 'the server has a name, with and without a slash behind /v2', async () => {
      const { json } = await expectStatus(200, get('/v2'))
      expectThat(typeof json['name'] === 'string', '/v2 has no name')
      const slashed = await get('/v2/')
      wishThat(slashed.json['name'] === json['name'], `/v2/ is ${slashed.status}`)
    }),
    check('O9', 'the model is ready and described, with and without its version', async () => {
      const { versions } = await metadata()
      for (const at of [path, ...versions.slice(0, 1).map((each) => `${path}/versions/${each}`)]) {
        const { json } = await expectStatus(200, get(`${at}/ready`))
        toMetadata(await expectStatus(200, get(at)))
        wishThat(json['ready'] === true, `${at}/ready is not {"ready": true}`)
      }
    }),
    check('O1', 'an inference echoes its id', async () => {
      const { json } = await expectStatus(200, infer({ id: 'check-1', inputs: await inputs() }))
      expectThat(json['id'] === 'check-1', `the id came back as ${JSON.stringify(json['id'])}`)
    }),
    check('O1', 'only wanted outputs come', async () => {
      const { outputs } = await metadata()
      const name = outputs[0]?.name ?? ''
      const asked = infer({ inputs: await inputs(), outputs: [{ name }] })
      const given = (await expectStatus(200, asked)).json['outputs'] as { name: string }[]
      expectThat(
        given.every((output) => output.name === name),
        `asked for "${name}", got ${given.map((output) => output.name).join(', ')}`,
      )
    }),
    check('O10', 'binary tensors come in behind the JSON and go out behind it', async () => {
      await expectBinary()
      const answer = await expectStatus(200, inferBinary())
      wishThat(answer.headers.has(JSON_LENGTH), 'the outputs came as JSON')
      const length = Number(answer.headers.get(JSON_LENGTH))
      const sizes = (
        answer.json['outputs'] as { parameters?: { binary_data_size?: number } }[]
      ).map(({ parameters }) => parameters?.binary_data_size ?? 0)
      const total = sizes.reduce((sum, size) => sum + size, 0)
      expectThat(answer.bytes.length - length === total, 'binary_data_size and the bytes disagree')
    }),
    refused('O11', 'text', 'malformed JSON is refused', () => '{"inputs": ['),
    refused('O11', 'text', 'a request without inputs is refused', () => ({})),
    refused('O11', 'text', 'inputs that are no list are refused', () => ({ inputs: {} })),
    refused('O11', 'text', 'data that is no list is refused', (all) =>
      first(all, { data: 'x' as unknown as unknown[] }),
    ),
    refused('O4', 'text', 'a size below 0 is refused', (all) => first(all, { shape: [-1] })),
    refused('O12', 'text', 'an unknown datatype is refused', (all) =>
      first(all, { datatype: 'FP8' }),
    ),
    refused('O13', 'text', 'a shape of more elements than the data is refused', (all) =>
      first(all, { shape: (all[0]?.shape ?? []).map(() => 1000) }),
    ),
    check('O15', 'an unknown model or version is 404', async () => {
      const body = JSON.stringify({ inputs: await inputs() })
      // A server need not have versions at all.
      const rule = (await metadata()).versions.length === 0 ? 'ours' : 'text'
      for (const [at, of] of [
        [`/v2/models/${UNKNOWN}`, 'text'],
        [`${path}/versions/${UNKNOWN}`, rule],
      ] as const) {
        await expectError(404, get(at), of)
        await expectError(404, get(`${at}/ready`), of)
        await expectError(404, post(`${at}/infer`, body), of)
      }
    }),
    refused('O16', 'ours', 'an unknown input is refused', (all) => first(all, { name: UNKNOWN })),
    refused('O16', 'text', 'a missing input is refused', (all) => ({ inputs: all.slice(1) })),
    refused('O16', 'ours', 'an input twice is refused', (all) => ({
      inputs: [...all, ...all.slice(0, 1)],
    })),
    refused('O16', 'ours', 'an unknown output is refused', (all) => ({
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
        'ours',
      )
    }),
    refused('O17', 'text', 'a bare NaN is refused', (all) =>
      JSON.stringify(first(all, { data: ['MARK'] })).replace('"MARK"', 'NaN'),
    ),
    check('O18', 'a wrong binary size is refused', async () => {
      await expectBinary()
      const { inputs: tensors, binary } = binaryInputs(await metadata())
      const head = Buffer.from(JSON.stringify({ inputs: tensors }))
      const body = Buffer.concat([head, binary, Buffer.alloc(3)])
      await expectError(400, postBinary(body, head.length), 'ours')
      await expectError(400, postBinary(head, head.length + 9), 'ours')
    }),
  ]
}
