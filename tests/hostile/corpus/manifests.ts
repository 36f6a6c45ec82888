/** Manifests that no author writes: YAML's own tricks, and fields that do not fit. */
import { SAMPLE_MANIFEST } from '@kre/bundle/testing'
import { bundleOf, type HostileInput, placeOf } from './hostile-input.ts'

/** The sample manifest with one place changed. */
function changed(from: string, to: string): string {
  if (!SAMPLE_MANIFEST.includes(from)) throw new Error(`the sample has no ${from}`)
  return SAMPLE_MANIFEST.replace(from, () => to)
}

const extra = (text: string): string => SAMPLE_MANIFEST + text
const deep = (depth: number): string => `x: ${'['.repeat(depth)}${']'.repeat(depth)}\n`
const ALIASES = `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n`

/** What, code, text, and a word of the line that the answer must name. */
const YAML: [string, string, string | Uint8Array, string?][] = [
  ['an alias bomb', 'YAML_FEATURE', extra(ALIASES), '&a'],
  ['an anchor that holds itself', 'YAML_FEATURE', extra('a: &a [*a]\n'), '&a'],
  ['an alias for nothing', 'YAML_FEATURE', extra('a: *nothing\n'), '*nothing'],
  ['an anchor on a key', 'YAML_FEATURE', extra('&k a: 1\n'), '&k'],
  ['a merge key', 'YAML_FEATURE', extra('<<: { version: evil }\n'), '<<'],
  ['a tag of Python', 'YAML_FEATURE', extra('a: !!python/object/apply:os.system [id]\n'), '!!py'],
  ['a tag of JavaScript', 'YAML_FEATURE', extra('a: !!js/function "x"\n'), '!!js'],
  ['a tag of binary data', 'YAML_FEATURE', extra('a: !!binary aGk=\n'), '!!binary'],
  ['a tag on the root', 'YAML_FEATURE', `!!map\n${SAMPLE_MANIFEST}`],
  ['a directive', 'YAML_FEATURE', `%YAML 1.1\n---\n${SAMPLE_MANIFEST}`, '%YAML'],
  ['a tag directive', 'YAML_FEATURE', `%TAG ! tag:evil,2026:\n---\n${SAMPLE_MANIFEST}`, '%TAG'],
  ['a list as a key', 'YAML_FEATURE', extra('? [a, b]\n: 1\n'), '[a, b]'],
  ['null as a key', 'YAML_FEATURE', extra('~: 1\n'), '~'],
  ['a number as a key', 'YAML_FEATURE', extra('12: 1\n'), '12: 1'],
  ['13 collections deep', 'YAML_DEPTH', extra(deep(13)), '[['],
  ['100,000 lists deep', 'YAML_DEPTH', extra(deep(100_000))],
  ['100,000 maps deep', 'YAML_DEPTH', extra(`x: ${'{a: '.repeat(60_000)}`)],
  ['10,000 indented maps deep', 'YAML_TOO_LARGE', extra(indented(1_000))],
  ['600 indented maps deep', 'YAML_DEPTH', extra(indented(600))],
  ['1,000 lists in one line', 'YAML_DEPTH', extra(`x:\n  ${'- '.repeat(1_000)}a\n`)],
  ['a key twice', 'YAML_DUPLICATE_KEY', extra('version: evil\n'), 'version: evil'],
  ['__proto__ twice', 'YAML_DUPLICATE_KEY', extra('__proto__: 1\n"__proto__": 2\n'), '": 2'],
  ['two documents', 'YAML_MULTI_DOC', extra('---\nversion: evil\n')],
  ['a thousand documents', 'YAML_MULTI_DOC', extra('---\na: 1\n'.repeat(1_000))],
  ['256 KiB and a byte', 'YAML_TOO_LARGE', extra('#'.repeat(262_145)), 'krtVersion'],
  ['90,000 signs', 'YAML_TOO_LARGE', extra(`x: [${'1,'.repeat(45_000)}]\n`), 'x: ['],
  ['UTF-16', 'YAML_ENCODING', Buffer.from(`\ufeff${SAMPLE_MANIFEST}`, 'utf16le')],
  ['Latin-1', 'YAML_ENCODING', Buffer.from(extra('# é\n'), 'latin1')],
  ['a NUL', 'YAML_ENCODING', extra('a: "\0"\n'), 'a: "'],
  ['an escape of a terminal', 'YAML_ENCODING', extra('a: "\u001b[2J"\n'), 'a: "'],
  ['lines that end in CR alone', 'YAML_ENCODING', SAMPLE_MANIFEST.replaceAll('\n', '\r')],
  ['tabs that indent', 'YAML_SYNTAX', extra('a:\n\tb: 1\n'), '\tb'],
  ['a list without an end', 'YAML_SYNTAX', extra('a: [\n')],
  ['a text without an end', 'YAML_SYNTAX', extra('a: "b\n')],
  ['nothing', 'FIELD_REQUIRED', ''],
  ['only a comment', 'FIELD_REQUIRED', '# hello\n'],
  ['a list', 'FIELD_TYPE', '- a\n- b\n', '- a'],
  ['a word', 'FIELD_TYPE', 'hello\n', 'hello'],
  ['JSON with a near miss', 'YAML_UNKNOWN_KEY', extra('worklows: {}\n'), 'worklows'],
]

function indented(depth: number): string {
  let text = ''
  for (let i = 0; i < depth; i += 1) text += `${' '.repeat(i)}a:\n`
  return text
}

const NODE = 'name: prepare, image: konstellation/kre-ts:1, src: src/prepare.ts'
const node = (to: string): string => changed(NODE, to)
const inNode = (field: string): string =>
  changed('src: src/prepare.ts', `src: src/prepare.ts, ${field}`)

const FIELDS: [string, string, string, string?][] = [
  ['a version that is a number', 'FIELD_TYPE', changed('intake-v3 #', '1e3 #'), '1e3'],
  ['a version that is a switch', 'FIELD_TYPE', changed('intake-v3 #', 'on #'), 'on #'],
  ['a version that is a list', 'FIELD_TYPE', changed('intake-v3 #', '[a] #'), '[a]'],
  ['a version that leads out', 'NAME_INVALID', changed('intake-v3 #', '../../etc #'), '../'],
  ['a version with a bidi mark', 'NAME_INVALID', changed('intake-v3 #', '"a\\u202eb" #'), 'u202e'],
  ['a version with a subject', 'NAME_INVALID', changed('intake-v3 #', '"x.>" #'), 'x.>'],
  [
    'a version of 200 letters',
    'NAME_TOO_LONG',
    changed('intake-v3 #', `${'v'.repeat(200)} #`),
    'vvv',
  ],
  [
    'a version of 200,000 letters',
    'NAME_TOO_LONG',
    changed('intake-v3 #', 'v'.repeat(200_000)),
    'vvv',
  ],
  [
    'a version with half a character',
    'FIELD_VALUE',
    changed('intake-v3 #', '"\\ud800" #'),
    'ud800',
  ],
  ['a krtVersion of the future', 'KRT_VERSION', changed('v2', 'v9'), 'v9'],
  ['a krtVersion that is a map', 'FIELD_TYPE', changed('v2', '{}'), '{}'],
  ['no description', 'FIELD_REQUIRED', changed('Splits incoming requests.', "''"), "''"],
  ['a description of 501 characters', 'LIMIT_EXCEEDED', changed('Splits', 's'.repeat(501)), 'sss'],
  ['an entrypoint that is a word', 'FIELD_TYPE', entrypoint('evil'), 'entrypoint: evil'],
  ['a proto that leads out', 'PATH_INVALID', changed('public_input', '../../../etc/x'), '../'],
  ['an absolute proto', 'PATH_INVALID', changed('public_input.proto', '/etc/passwd'), '/etc'],
  ['a proto that is not there', 'PROTO_MISSING', changed('public_input', 'none'), 'none'],
  [
    'a proto that is a source',
    'PATH_INVALID',
    changed('public_input.proto', 'src/reply.py'),
    'reply',
  ],
  ['an image with a shell command', 'IMAGE_SYNTAX', node(image('"a;rm -rf /"')), 'rm -rf'],
  ['an image with a line end', 'IMAGE_SYNTAX', node(image('"a\\nb"')), '\\nb'],
  ['an image nobody knows', 'IMAGE_UNKNOWN', node(image('evil/constructor:1')), 'evil'],
  ['an image named __proto__', 'IMAGE_SYNTAX', node(image('a/__proto__:1')), '__proto__'],
  ['an image named tostring', 'IMAGE_UNKNOWN', node(image('a/tostring:1')), 'tostring'],
  ['an image of 100,000 letters', 'IMAGE_SYNTAX', node(image('a'.repeat(100_000))), 'aaa'],
  ['a src that leads out', 'PATH_INVALID', changed('src/prepare.ts', '../../evil.ts'), '../'],
  ['an absolute src', 'PATH_INVALID', changed('src/prepare.ts', '/etc/evil.ts'), '/etc'],
  ['a src with a drive', 'PATH_INVALID', changed('src/prepare.ts', 'C:/evil.ts'), 'C:/'],
  ['a src with backslashes', 'PATH_INVALID', changed('src/prepare.ts', 'src\\evil.ts'), 'evil'],
  ['a src that is not there', 'SRC_MISSING', changed('src/prepare.ts', 'src/none.ts'), 'none'],
  ['a src that is a folder', 'SRC_MISSING', changed('src/prepare.ts', 'src'), 'kre-ts'],
  ['two nodes of one name', 'NAME_DUPLICATE', changed('name: reply', 'name: Prepare'), 'Prepare'],
  [
    'a node named entrypoint',
    'NAME_INVALID',
    changed('name: prepare', 'name: entrypoint'),
    'name: entry',
  ],
  ['a node with a wildcard', 'NAME_INVALID', changed('name: prepare', 'name: "*"'), '"*"'],
  ['a node without a name', 'FIELD_REQUIRED', changed('name: prepare, ', ''), 'kre-ts'],
  ['a node that is a word', 'FIELD_TYPE', extra('      - evil\n'), 'evil'],
  ['a subscription to nobody', 'SUBSCRIPTION_UNKNOWN', changed('[prepare]', '[toString]'), 'toStr'],
  [
    'a subscription to __proto__',
    'SUBSCRIPTION_UNKNOWN',
    changed('[prepare]', '[__proto__]'),
    '__pro',
  ],
  ['a channel with a wildcard', 'CHANNEL_INVALID', changed('[prepare]', '["prepare.>"]'), '.>'],
  ['a channel with a dot', 'CHANNEL_INVALID', changed('[prepare]', '[prepare.a.b]'), 'a.b'],
  ['a node that hears itself', 'SUBSCRIPTION_SELF', changed('[prepare]', '[reply]'), '[reply]'],
  ['a cycle', 'GRAPH_CYCLE', changed('[entrypoint]', '[entrypoint, reply]'), 'ts:1'],
  ['a node nobody reaches', 'NODE_UNREACHABLE', changed('[entrypoint]', '[reply]'), 'prepare,'],
  [
    'an exitpoint that is none',
    'EXITPOINT_UNKNOWN',
    changed('exitpoint: reply', 'exitpoint: x'),
    ': x',
  ],
  [
    'an rpc that is none',
    'RPC_UNKNOWN',
    changed('entrypoint: Classify', 'entrypoint: Nope'),
    'Nope',
  ],
  ['an rpc with a slash', 'RPC_UNKNOWN', changed('entrypoint: Classify', 'entrypoint: a/b'), 'a/b'],
  ['fields of both generations', 'FIELD_GENERATION', extra('nodes: []\n'), 'nodes: []'],
  ['-1 replicas', 'REPLICAS_RANGE', inNode('replicas: -1'), 'replicas'],
  ['1e308 replicas', 'REPLICAS_RANGE', inNode('replicas: 1e308'), 'replicas'],
  ['replicas without an end', 'FIELD_TYPE', inNode('replicas: .inf'), 'replicas'],
  ['replicas that are no number', 'FIELD_TYPE', inNode('replicas: .nan'), 'replicas'],
  ['half a replica', 'FIELD_TYPE', inNode('replicas: 0.5'), 'replicas'],
  [
    'an object store that leads out',
    'OBJECT_STORE_NAME',
    inNode('objectStore: {name: ../x}'),
    '../x',
  ],
  [
    'an object store of the world',
    'OBJECT_STORE_SCOPE',
    inNode('objectStore: {name: a, scope: world}'),
    'world',
  ],
  ['memory without an end', 'FIELD_TYPE', inNode('resources: {memory: {limit: 9e999}}'), '9e999'],
  ['negative memory', 'RESOURCES_INVALID', inNode('resources: {memory: {limit: "-1Gi"}}'), '-1Gi'],
  [
    'a limit below its request',
    'RESOURCES_INVALID',
    inNode('resources: {cpu: {request: 2, limit: 1}}'),
    'cpu',
  ],
  ['3,000 nodes', 'LIMIT_EXCEEDED', nodes(2_800, 'entrypoint'), 'nodes:'],
  ['3,000 wrong subscriptions', 'SUBSCRIPTION_UNKNOWN', nodes(2_800, 'prepaer')],
  ['a cycle of 2,500 nodes', 'GRAPH_CYCLE', chain(2_500)],
  ['13,000 workflows', 'ISSUES_OMITTED', `workflows:\n${'- {name: a}\n'.repeat(13_000)}`],
  ['38,000 unknown keys', 'YAML_UNKNOWN_KEY', unknownKeys()],
]

const CONFIG: [string, string, string, string?][] = [
  ['a name with a shell command', 'CONFIG_NAME', config('["A;id"]'), 'A;id'],
  ['a name in small letters', 'CONFIG_NAME', config('[path]'), '[path]'],
  ['PATH', 'CONFIG_RESERVED', config('[PATH]'), 'PATH'],
  ['LD_PRELOAD', 'CONFIG_RESERVED', config('[LD_PRELOAD]'), 'LD_'],
  ['NODE_OPTIONS', 'CONFIG_RESERVED', config('[NODE_OPTIONS]'), 'NODE_'],
  ['PYTHONSTARTUP', 'CONFIG_RESERVED', config('[PYTHONSTARTUP]'), 'PYTHON'],
  ['KRT_TOKEN', 'CONFIG_RESERVED', config('[KRT_TOKEN]'), 'KRT_'],
  ['HTTPS_PROXY', 'CONFIG_RESERVED', config('[HTTPS_PROXY]'), 'PROXY'],
  ['a name twice', 'CONFIG_DUPLICATE', config('[A, A]'), 'A, A'],
  ['a name with NUL', 'FIELD_VALUE', config('["A\\0"]'), 'A\\0'],
  ['38,000 names', 'LIMIT_EXCEEDED', config(`[${'A,'.repeat(38_000)}]`), 'config:'],
  ['a map of names', 'FIELD_TYPE', config('{A: 1}'), 'A: 1'],
]

function entrypoint(to: string): string {
  return SAMPLE_MANIFEST.replace(/^entrypoint: .*$/m, () => `entrypoint: ${to}`)
}

function image(reference: string): string {
  return NODE.replace('konstellation/kre-ts:1', () => reference)
}

function config(variables: string): string {
  return extra(`config:\n  variables: ${variables}\n`)
}

function nodes(count: number, from: string): string {
  let text = SAMPLE_MANIFEST
  for (let i = 0; i < count; i += 1)
    text += `      - {name: n${i}, image: k/kre-ts:1, src: src/prepare.ts, subscriptions: [${from}]}\n`
  return text
}

function chain(count: number): string {
  let text = SAMPLE_MANIFEST
  for (let i = 0; i < count; i += 1)
    text += `      - {name: n${i}, image: k/kre-ts:1, src: src/prepare.ts, subscriptions: [n${(i + 1) % count}]}\n`
  return text
}

function unknownKeys(): string {
  let keys = ''
  for (let i = 0; i < 18_000; i += 1) keys += `, k${i.toString(36)}: 1`
  return changed('src: src/prepare.ts', `src: src/prepare.ts, imagee: 1${keys}`)
}

export const HOSTILE_MANIFESTS: readonly HostileInput[] = (
  [
    ['yaml', YAML],
    ['field', FIELDS],
    ['config', CONFIG],
  ] as const
).flatMap(([area, cases]) =>
  cases.map(([what, code, text, marker]) => ({
    name: `${area}: ${what}`,
    code,
    place:
      marker === undefined || typeof text !== 'string'
        ? 'kre.yaml'
        : placeOf('kre.yaml', text, marker),
    bytes: () => bundleOf({ 'kre.yaml': text }),
  })),
)
