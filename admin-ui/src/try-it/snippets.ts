/** The same call by other programs. They run as they are: tests/admin-ui-try-it.test.ts runs them. Pure. */
import { shellWord } from '../ui/shell-word.ts'
import type { Rpc } from './message-types.ts'

export type Call = {
  readonly runtimeId: string
  readonly versionName: string
  /** `host:port`; empty while the version does not run. */
  readonly address: string
  readonly rpc: Pick<Rpc, 'path' | 'requestType' | 'responseType' | 'serverStreaming'>
  /** JSON of the request. */
  readonly json: string
  readonly timeoutMs: number
  readonly metadata: readonly (readonly [name: string, value: string])[]
}

export const SNIPPET_LANGUAGES = ['krectl', 'python', 'typescript'] as const
export type SnippetLanguage = (typeof SNIPPET_LANGUAGES)[number]

export function snippetOf(language: SnippetLanguage, call: Call): string {
  switch (language) {
    case 'krectl':
      return krectlSnippet(call)
    case 'python':
      return pythonSnippet(call)
    case 'typescript':
      return typescriptSnippet(call)
  }
}

function krectlSnippet({ runtimeId, versionName, rpc, json, timeoutMs, metadata }: Call): string {
  return [
    `krectl call -r ${shellWord(runtimeId)} --version ${shellWord(versionName)}`,
    `--timeout ${timeoutMs}ms`,
    ...metadata.map(([name, value]) => `--metadata ${shellWord(`${name}=${value}`)}`),
    shellWord(rpc.path.replace(/^\//, '')),
    shellWord(json),
  ].join(' ')
}

/** A text in a language whose literals are JSON's. */
const literal = (text: string): string => JSON.stringify(text)
const addressOf = ({ address }: Call): string => (address === '' ? 'HOST:PORT' : address)
/** Three quotes in a row are in no JSON text, and Python's raw literals leave backslashes alone. */
const pretty = (json: string): string => JSON.stringify(JSON.parse(json), null, 2)
/** JSON is an expression of the language, but for one key, which would set a prototype. */
const objectLiteral = (json: string): string =>
  pretty(json).replaceAll(/^(\s*)"__proto__":/gm, '$1["__proto__"]:')
const indented = (text: string): string => text.replaceAll('\n', '\n  ')
const imported = (names: string, from: string): string =>
  `import { ${names} } from ${literal(from)}`
const seconds = (ms: number): string => String(ms / 1000)

function pythonSnippet(call: Call): string {
  const { rpc, json, timeoutMs, metadata } = call
  const pairs = metadata.map(([name, value]) => `(${literal(name)}, ${literal(value)})`)
  const invocation = `call(request, timeout=${seconds(timeoutMs)}${pairs.length === 0 ? '' : `, metadata=[${pairs.join(', ')}]`})`
  return `# pip install grpcio protobuf
import urllib.request

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

address = ${literal(addressOf(call))}
# The entrypoint tells its messages, so no code is generated.
with urllib.request.urlopen(f"http://{address}/proto") as answer:
    files = descriptor_pb2.FileDescriptorSet.FromString(answer.read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)


def message(name):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


request = json_format.Parse(
    r"""
${pretty(json)}
""",
    message(${literal(rpc.requestType)})(),
    descriptor_pool=pool,
)
with grpc.insecure_channel(address) as channel:
    call = channel.${rpc.serverStreaming ? 'unary_stream' : 'unary_unary'}(
        ${literal(rpc.path)},
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message(${literal(rpc.responseType)}).FromString,
    )
${
  rpc.serverStreaming
    ? `    for answer in ${invocation}:
        print(json_format.MessageToJson(answer, descriptor_pool=pool), flush=True)
`
    : `    answer = ${invocation}
    print(json_format.MessageToJson(answer, descriptor_pool=pool))
`
}`
}

function typescriptSnippet(call: Call): string {
  const { rpc, json, timeoutMs, metadata } = call
  const begin = rpc.serverStreaming
    ? 'const answers = client.makeServerStreamRequest'
    : 'client.makeUnaryRequest'
  const lines = metadata.map(([name, value]) => `metadata.set(${literal(name)}, ${literal(value)})`)
  const show = 'toJsonString(output, message, { registry, prettySpaces: 2 })'
  return `// npm install @grpc/grpc-js @bufbuild/protobuf
${[
  imported(
    'createFileRegistry, fromBinary, fromJson, toBinary, toJsonString',
    '@bufbuild/protobuf',
  ),
  imported('FileDescriptorSetSchema', '@bufbuild/protobuf/wkt'),
  imported('Client, credentials, Metadata', '@grpc/grpc-js'),
].join('\n')}

const address = ${literal(addressOf(call))}
// The entrypoint tells its messages, so no code is generated.
const files = await (await fetch(\`http://\${address}/proto\`)).arrayBuffer()
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, new Uint8Array(files)))
const input = registry.getMessage(${literal(rpc.requestType)})!
const output = registry.getMessage(${literal(rpc.responseType)})!

const request = fromJson(
  input,
  ${indented(objectLiteral(json))},
  { registry },
)
const metadata = new Metadata()
${lines.map((line) => `${line}\n`).join('')}const client = new Client(address, credentials.createInsecure())
${begin}(
  ${literal(rpc.path)},
  (message: typeof request) => Buffer.from(toBinary(input, message)),
  (bytes: Buffer) => fromBinary(output, bytes),
  request,
  metadata,
  { deadline: Date.now() + ${timeoutMs} },
${
  rpc.serverStreaming
    ? `)
answers.on('data', (message) => console.log(${show}))
answers.on('error', (error: Error) => console.error(error.message))
answers.on('status', () => client.close())
`
    : `  (error, message) => {
    if (message === undefined) console.error(error?.message)
    else console.log(${show})
    client.close()
  },
)
`
}`
}
