/** What is asked of a server over gRPC. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { type Client, Code, ConnectError } from '@connectrpc/connect'
import type {
  GRPCInferenceService,
  InferTensorContents,
  ModelInferRequestSchema,
} from '@kre/contracts/oip'
import {
  accepted,
  type Check,
  expectThat,
  Lax,
  type Rule,
  Skipped,
  Unmet,
  wishThat,
} from './check.ts'
import { type GrpcInput, grpcInputs, type Metadata, rawInputs } from './sample-tensors.ts'

export type Oip = Client<typeof GRPCInferenceService>
type InferRequest = MessageInitShape<typeof ModelInferRequestSchema>

export const UNKNOWN = 'no-such-thing-of-oip-check'

export function grpcChecks(client: Oip, model: string): Check[] {
  const check = (id: string, name: string, run: Check['run']): Check => ({
    id,
    name,
    run,
    protocol: 'grpc',
  })
  const metadata = (): Promise<Metadata> => client.modelMetadata({ name: model })
  /** @param change of a request that is right. */
  const refused = (
    id: string,
    rule: Rule,
    name: string,
    change: (inputs: GrpcInput[]) => InferRequest,
  ) =>
    check(id, name, async () => {
      const request = change(grpcInputs(await metadata()))
      await expectCode(
        Code.InvalidArgument,
        () => client.modelInfer({ modelName: model, ...request }),
        rule,
      )
    })
  const first = (inputs: GrpcInput[], more: Partial<GrpcInput>): InferRequest => ({
    inputs: inputs.map((input, i) => (i === 0 ? { ...input, ...more } : input)),
  })

  return [
    check('O1', 'the server is live and ready', async () => {
      expectThat((await client.serverLive({})).live, 'ServerLive says false')
      expectThat((await client.serverReady({})).ready, 'ServerReady says false')
    }),
    check('O1', 'the server has a name', async () => {
      expectThat((await client.serverMetadata({})).name !== '', 'ServerMetadata has no name')
    }),
    check('O1', 'the model is ready and describes its tensors', async () => {
      expectThat((await client.modelReady({ name: model })).ready, 'ModelReady says false')
      const { inputs, outputs } = await metadata()
      expectThat(inputs.length > 0 && outputs.length > 0, 'ModelMetadata has no inputs or outputs')
    }),
    check('O1', 'an inference echoes its id and has all outputs', async () => {
      const { outputs: wanted, ...rest } = await metadata()
      const inputs = grpcInputs({ ...rest, outputs: wanted })
      const { id, outputs } = await client.modelInfer({ modelName: model, id: 'check-1', inputs })
      expectThat(id === 'check-1', `the id came back as "${id}"`)
      const known = new Set(wanted.map(({ name }) => name))
      expectThat(outputs.length > 0, 'there are no outputs')
      expectThat(
        outputs.every(({ name }) => known.has(name)),
        'an output is not in the metadata',
      )
    }),
    check('O1', 'only wanted outputs come', async () => {
      const described = await metadata()
      const name = described.outputs[0]?.name ?? ''
      const inputs = grpcInputs(described)
      const answer = await client.modelInfer({ modelName: model, inputs, outputs: [{ name }] })
      expectThat(
        answer.outputs.every((output) => output.name === name),
        `asked for "${name}", got ${answer.outputs.map((output) => output.name).join(', ')}`,
      )
    }),
    check('O3', 'a raw request has a raw answer', async () => {
      const { inputs, raw } = rawInputs(await metadata())
      const answer = await client.modelInfer({ modelName: model, inputs, rawInputContents: raw })
      const { outputs, rawOutputContents } = answer
      wishThat(rawOutputContents.length > 0, 'the answer has no raw_output_contents')
      expectThat(
        rawOutputContents.length === outputs.length,
        `${outputs.length} outputs, ${rawOutputContents.length} raw_output_contents`,
      )
      expectThat(
        outputs.every(({ contents }) => contents === undefined || isEmpty(contents)),
        'an output has contents beside the raw ones',
      )
    }),
    refused('O4', 'text', 'a size below 0 is refused', (inputs) => first(inputs, { shape: [-1n] })),
    check('O6', 'a BYTES element that is cut is refused', async () => {
      const { inputs, raw } = rawInputs(await metadata())
      const at = inputs.findIndex(({ datatype }) => datatype === 'BYTES')
      if (at < 0) throw new Skipped('the model takes no BYTES')
      raw[at] = Uint8Array.of(9, 0, 0, 0, 1)
      await expectCode(
        Code.InvalidArgument,
        () => client.modelInfer({ modelName: model, inputs, rawInputContents: raw }),
        'ours',
      )
    }),
    refused('O12', 'text', 'an unknown datatype is refused', (inputs) =>
      first(inputs, { datatype: 'FP8' }),
    ),
    refused('O13', 'text', 'a shape of more elements than the data is refused', (inputs) =>
      first(inputs, { shape: (inputs[0]?.shape ?? []).map(() => 1000n) }),
    ),
    refused('O14', 'text', 'raw and typed contents together are refused', (inputs) => ({
      inputs,
      rawInputContents: inputs.map(() => new Uint8Array(0)),
    })),
    check('O14', 'another number of raw contents than inputs is refused', async () => {
      const { inputs, raw } = rawInputs(await metadata())
      const rawInputContents = [...raw, new Uint8Array(1)]
      await expectCode(Code.InvalidArgument, () =>
        client.modelInfer({ modelName: model, inputs, rawInputContents }),
      )
    }),
    check('O15', 'an unknown model is NOT_FOUND', async () => {
      const inputs = grpcInputs(await metadata())
      await expectCode(Code.NotFound, () => client.modelReady({ name: UNKNOWN }))
      await expectCode(Code.NotFound, () => client.modelMetadata({ name: UNKNOWN }))
      await expectCode(Code.NotFound, () => client.modelInfer({ modelName: UNKNOWN, inputs }))
    }),
    check('O15', 'an unknown version is NOT_FOUND', async () => {
      const described = await metadata()
      const inputs = grpcInputs(described)
      const version = UNKNOWN
      // A server need not have versions at all.
      const rule = described.versions.length === 0 ? 'ours' : 'text'
      const requests = [
        () => client.modelReady({ name: model, version }),
        () => client.modelMetadata({ name: model, version }),
        () => client.modelInfer({ modelName: model, modelVersion: version, inputs }),
      ]
      for (const request of requests) await expectCode(Code.NotFound, request, rule)
    }),
    refused('O16', 'ours', 'an unknown input is refused', (inputs) =>
      first(inputs, { name: UNKNOWN }),
    ),
    refused('O16', 'text', 'a missing input is refused', (inputs) => ({ inputs: inputs.slice(1) })),
    refused('O16', 'ours', 'an input twice is refused', (inputs) => ({
      inputs: [...inputs, ...inputs.slice(0, 1)],
    })),
    refused('O16', 'ours', 'an unknown output is refused', (inputs) => ({
      inputs,
      outputs: [{ name: UNKNOWN }],
    })),
  ]
}

/** Codes that say nothing of the request: the server is gone, or hangs. */
const NO_VERDICT: readonly Code[] = [Code.Unavailable, Code.DeadlineExceeded, Code.Canceled]

/** The published text says no more than that a failure is not OK; which code it is is ours. */
async function expectCode(
  wanted: Code,
  call: () => Promise<unknown>,
  rule: Rule = 'text',
): Promise<void> {
  try {
    await call()
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error)
    if (code === wanted) return
    const found = `expected ${Code[wanted]}, got ${Code[code]}: ${rawMessage}`
    throw NO_VERDICT.includes(code) ? new Unmet(found) : new Lax(found)
  }
  throw accepted(rule, `expected ${Code[wanted]}, and it was accepted`)
}

function isEmpty(contents: InferTensorContents): boolean {
  return Object.values(contents).every((values) => !Array.isArray(values) || values.length === 0)
}
