/** Protos that reach outside, or cost a parser more than they are worth. */
import { SAMPLE_PROTO } from '@kre/bundle/testing'
import { bundleOf, type Files, type HostileInput, placeOf } from './hostile-input.ts'

const FILE = 'public_input.proto'
const extra = (text: string): string => SAMPLE_PROTO + text
const importing = (path: string): string =>
  SAMPLE_PROTO.replace('package digits;', () => `package digits;\nimport "${path}";`)
const fields = (count: number): string =>
  Array.from({ length: count }, (_, i) => `int32 f${i}=${i + 1};`).join('')
const types = (count: number): string =>
  Array.from({ length: count }, (_, i) => `message T${i}{}`).join('\n')

/** What, code, text of the proto, a word of the line that the answer must name, further files. */
const PROTOS: [string, string, string | Uint8Array, (string | undefined)?, Files?][] = [
  ['an import of /etc/passwd', 'PROTO_IMPORT', importing('/etc/passwd'), 'passwd'],
  ['an import that leads out', 'PROTO_IMPORT', importing('../../../etc/passwd'), 'passwd'],
  ['an import that leads out and back', 'PROTO_IMPORT', importing('src/../../x.proto'), '../'],
  ['an import with backslashes', 'PROTO_IMPORT', importing('..\\\\x.proto'), 'x.proto'],
  ['an import by address', 'PROTO_IMPORT', importing('http://127.0.0.1/x.proto'), 'http'],
  ['an import by file address', 'PROTO_IMPORT', importing('file:///etc/passwd'), 'file:'],
  ['an import of nothing', 'PROTO_IMPORT', importing(''), 'import'],
  ['an import of itself', 'PROTO_IMPORT', importing(FILE), 'import'],
  ['an import of __proto__', 'PROTO_IMPORT', importing('__proto__'), 'import'],
  ['an import of the manifest', 'PROTO_SYNTAX', importing('kre.yaml')],
  [
    'an import of a missing Google file',
    'PROTO_IMPORT',
    importing('google/protobuf/x.proto'),
    'import',
  ],
  [
    'imports that go round',
    'PROTO_IMPORT',
    importing('a.proto'),
    undefined,
    { 'a.proto': 'syntax = "proto3";\nimport "public_input.proto";\n' },
  ],
  ['33 files', 'PROTO_LIMIT', importing('p0.proto'), undefined, chainOfFiles(33)],
  ['16,000 fields', 'PROTO_LIMIT', `${SAMPLE_PROTO}message Big{${fields(5_000)}}`, 'Big'],
  ['501 fields in oneofs', 'PROTO_LIMIT', extra(`message Big{oneof a{${fields(501)}}}`), 'Big'],
  ['2,001 messages', 'PROTO_LIMIT', extra(types(2_001)), 'T1998'],
  [
    '500 messages deep',
    'PROTO_LIMIT',
    extra('message A{'.repeat(500) + '}'.repeat(500)),
    'message A{',
  ],
  ['20,000 braces deep', 'PROTO_LIMIT', extra('{'.repeat(20_000))],
  [
    'a package of 30,000 parts',
    'PROTO_LIMIT',
    SAMPLE_PROTO.replace('digits', `a${'.a'.repeat(30_000)}`),
    'package',
  ],
  [
    'a package of 33 parts',
    'PROTO_LIMIT',
    SAMPLE_PROTO.replace('digits', `a${'.a'.repeat(32)}`),
    'package',
  ],
  ['a name of 100,000 letters', 'PROTO_LIMIT', extra(`message ${'a'.repeat(100_000)}{}`), 'aaa'],
  ['129 KiB', 'PROTO_LIMIT', extra('/'.repeat(132_000))],
  ['12,000 options', 'PROTO_LIMIT', extra(`option a = 1;\n`.repeat(12_000))],
  [
    'options with names of objects',
    'PROTO_SYNTAX',
    extra('option __proto__.polluted = true;\nmessage {'),
  ],
  ['JSON', 'PROTO_SYNTAX', '{"nested": {"Entrypoint": {}}}', '{'],
  ['a NUL', 'PROTO_SYNTAX', extra('\0')],
  ['bytes that are no UTF-8', 'PROTO_SYNTAX', Buffer.from([0xff, 0xfe, 0x00])],
  ['a comment without an end', 'PROTO_SYNTAX', extra('/* hello\n')],
  ['a text without an end', 'PROTO_SYNTAX', extra('option a = "hello\n')],
  ['a message without an end', 'PROTO_SYNTAX', extra('message A {\n')],
  ['a syntax of the future', 'PROTO_SYNTAX', SAMPLE_PROTO.replace('proto3', 'proto9'), 'syntax'],
  ['nothing', 'PROTO_SERVICE', 'syntax = "proto3";\n', 'syntax'],
  ['two services', 'PROTO_SERVICE', extra('service Entrypoint {}\n'), 'service Entrypoint {}'],
  [
    'a type that is not defined',
    'PROTO_TYPE',
    SAMPLE_PROTO.replace('(Image)', '(toString)'),
    'rpc',
  ],
  [
    'a field of type constructor',
    'PROTO_TYPE',
    extra('message A { constructor a = 1; }\n'),
    'constructor',
  ],
  [
    'a field of type toString',
    'PROTO_TYPE',
    extra('message A { repeated toString a = 1; }\n'),
    'toString',
  ],
  [
    'a map to valueOf',
    'PROTO_TYPE',
    extra('message A { map<string, valueOf> a = 1; }\n'),
    'valueOf',
  ],
  ['a type named __proto__', 'PROTO_SYNTAX', SAMPLE_PROTO.replace('(Image)', '(__proto__)'), 'rpc'],
  ['field number 0', 'PROTO_SYNTAX', extra('message A { int32 a = 0; }\n'), 'int32 a'],
  ['field number 2^32', 'PROTO_SYNTAX', extra('message A { int32 a = 4294967297; }\n'), 'int32 a'],
  ['a reserved field number', 'PROTO_SYNTAX', extra('message A { int32 a = 19000; }\n'), 'int32 a'],
  [
    'one number twice',
    'PROTO_SYNTAX',
    extra('message A { int32 a = 1;\nint32 b = 1; }\n'),
    'int32 b',
  ],
  ['one name twice', 'PROTO_SYNTAX', extra('message Digit {}\n'), 'message Digit {}'],
  ['letters of another script', 'PROTO_SYNTAX', extra('message Сирена {}\n'), 'message С'],
  ['a streaming request', 'RPC_STREAMING', SAMPLE_PROTO.replace('(Image)', '(stream Image)')],
]

function chainOfFiles(count: number): Files {
  const files: Record<string, string> = {}
  for (let i = 0; i < count; i += 1)
    files[`p${i}.proto`] = `syntax = "proto3";\npackage p${i};\nimport "p${i + 1}.proto";\n`
  return { ...files, [`p${count}.proto`]: 'syntax = "proto3";\n' }
}

export const HOSTILE_PROTOS: readonly HostileInput[] = PROTOS.map(
  ([what, code, text, marker, files = {}]) => ({
    name: `proto: ${what}`,
    code,
    ...(marker === undefined || typeof text !== 'string'
      ? {}
      : { place: placeOf(FILE, text, marker) }),
    bytes: () => bundleOf({ [FILE]: text, ...files }),
  }),
)
