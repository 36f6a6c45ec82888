/**
 * Every code a bundle can be refused or warned for, with its usual level and what it means.
 * Numbers in brackets are the rules of the KRT reference. One table, so that the CLI can explain any code.
 */
import type { KrtIssue } from './issue.ts'

type CodeFacts = { readonly level: KrtIssue['level']; readonly meaning: string }

const error = (meaning: string): CodeFacts => ({ level: 'error', meaning })
const warning = (meaning: string): CodeFacts => ({ level: 'warning', meaning })
const info = (meaning: string): CodeFacts => ({ level: 'info', meaning })

const ARCHIVE_CODES = {
  ARCHIVE_FORMAT: error('The bundle is neither a gzip-compressed tar, a tar, nor a directory.'),
  ARCHIVE_TOO_LARGE: error('The bundle, or what it unpacks to, is larger than the limit.'),
  ARCHIVE_BOMB: error('The bundle unpacks to far more than its compressed size allows.'),
  ARCHIVE_TOO_MANY: error('The bundle holds more entries than the limit.'),
  ARCHIVE_TYPE: error('The bundle holds a link, a device or another entry that is no file.'),
  ARCHIVE_CORRUPT: error('The bundle is damaged: a checksum or a header is wrong.'),
  ARCHIVE_PAX: error('An extended tar header is malformed or asks for something unsupported.'),
  ARCHIVE_PATH: error('A path in the bundle is absolute, leaves the bundle, or is not portable.'),
  ARCHIVE_DUPLICATE: error('Two entries of the bundle have the same path.'),
  ARCHIVE_TRUNCATED: error('The bundle ends too early.'),
  ARCHIVE_TRAILING: error('The bundle goes on after its end.'),
  ARCHIVE_APPLEDOUBLE: warning('A file of macOS metadata (`._name`) was left out.'),
  FILE_SECRET: warning('A file looks like a secret that should not be packed.'),
  FILE_LARGE: warning('A file is so large that every start has to copy a lot.'),
  VALIDATION_FAILED: error('The check of the bundle ran out of time or memory.'),
  MANIFEST_MISSING: error('No kre.yaml, kre.yml, krt.yaml or krt.yml lies at the root.'),
  MANIFEST_AMBIGUOUS: error('More than one manifest lies at the root.'),
} as const

const YAML_CODES = {
  YAML_SYNTAX: error('The manifest is not well-formed YAML.'),
  YAML_TOO_LARGE: error(
    'The manifest is larger than 256 KiB, or has more than 80,000 words and signs.',
  ),
  YAML_ENCODING: error('The manifest is not UTF-8 text, or holds control characters.'),
  YAML_FEATURE: error(
    'Anchors, aliases, tags, merge keys, directives and other keys than text. [V1]',
  ),
  YAML_DEPTH: error('Collections are nested more than 12 deep. [V1]'),
  YAML_DUPLICATE_KEY: error('A key is written twice in one map. [V1]'),
  YAML_MULTI_DOC: error('The file holds more than one document. [V1]'),
  YAML_UNKNOWN_KEY: warning(
    'A key has no meaning; an error when it looks like a misspelling. [V2]',
  ),
} as const

const FIELD_CODES = {
  FIELD_REQUIRED: error('A required field is absent or empty. [V3]'),
  FIELD_TYPE: error('A value is of another type than the field. [V3]'),
  FIELD_VALUE: error('A value is none of those that the field takes. [V3]'),
  FIELD_RANGE: error('A number is outside the range of the field.'),
  FIELD_IGNORED: warning(
    'A field that has no effect: of the first KRE releases, or beside another one.',
  ),
  FIELD_GENERATION: error('A field of the other manifest generation.'),
  KRT_VERSION: error('krtVersion is neither v1 nor v2. [V4]'),
  KRT_VERSION_ASSUMED: warning('krtVersion is absent; the fields are those of v2. [V4]'),
  NAME_INVALID: error('A name has characters that names do not have, or is reserved. [V5]'),
  NAME_TOO_LONG: error('A name is longer than 40 characters, or its id than 19. [V5]'),
  VERSION_EXISTS: error('The runtime already has a version of this name. [V6]'),
  NAME_DUPLICATE: error('Two things in one scope have the same id. [V7]'),
  LIMIT_EXCEEDED: error('There are more of something than the limit. [V25]'),
  NOT_SUPPORTED_YET: warning('A legal field that this engine does not act on yet.'),
  ISSUES_OMITTED: error('There are more issues than are listed.'),
} as const

const PROTO_CODES = {
  ENTRYPOINT_DUPLICATE: error('Two workflows have the same rpc as entrypoint. [V8]'),
  PROTO_MISSING: error('The proto file is not in the bundle. [V9]'),
  PROTO_SYNTAX: error('A proto file does not parse. [V9]'),
  PROTO_IMPORT: error('An import of a proto file is not in the bundle. [V9]'),
  PROTO_LIMIT: error('The proto files are larger or more complex than the limits. [V9]'),
  PROTO_SERVICE: error('The proto files do not hold exactly one service Entrypoint. [V9]'),
  PROTO_TYPE: error('A message type of an rpc is not defined. [V26]'),
  RPC_UNKNOWN: error('A workflow names an rpc that the service does not have. [V10]'),
  RPC_UNUSED: warning('An rpc feeds no workflow and answers UNIMPLEMENTED. [V10]'),
  RPC_STREAMING: error(
    'A workflow is fed by an rpc that takes a stream; answers may be one. [V10]',
  ),
} as const

const CODE_CODES = {
  PATH_INVALID: error('A path is absolute, leaves the bundle, or has the wrong suffix.'),
  SRC_MISSING: error('The code of a node is not in the bundle. [V11]'),
  SRC_UNCHECKED: warning('The syntax of a source could not be checked here.'),
  SRC_SYNTAX: error('The code of a node, or of a module that it imports, does not parse.'),
  SRC_RUNNER_MISMATCH: warning(
    'The suffix of the code does not fit the runner of the image. [V12]',
  ),
  IMAGE_SYNTAX: error('An image is not a legal reference. [V13]'),
  IMAGE_NOT_ALLOWED: error('An image is not on the list of this installation. [V13]'),
  IMAGE_UNKNOWN: error('No runner is known for an image. [V13]'),
  IMAGE_FLOATING: warning('An image has the tag latest, or none, and may change. [V13]'),
} as const

const MODEL_CODES = {
  MODEL_INVALID: error('A file is no ONNX model, or one that can not be run.'),
  MODEL_MESSAGE: error('The message that a model node reads or sends is not known.'),
  MODEL_TENSOR: error('A tensor of a model has no field, or the model does not have it.'),
  MODEL_FIELD: error('A field does not exist or does not fit the tensor of a model.'),
} as const

const GRAPH_CODES = {
  SUBSCRIPTION_MISSING: error('A node subscribes to nothing. [V14]'),
  SUBSCRIPTION_DUPLICATE: error('A node subscribes twice to the same. [V14]'),
  SUBSCRIPTION_SELF: error('A node subscribes to itself. [V14]'),
  SUBSCRIPTION_UNKNOWN: error('A node subscribes to a node that is not in the workflow. [V15]'),
  CHANNEL_INVALID: error('A channel is not one legal token, or not declared. [V15]'),
  GRAPH_CYCLE: error('Nodes subscribe to each other in a circle. [V16]'),
  NODE_UNREACHABLE: error('No message of the entrypoint can reach a node. [V17]'),
  EXITPOINT_UNKNOWN: error('The exitpoint is not a node of the workflow. [V18]'),
  EXITPOINT_UNREACHABLE: error('No message of the entrypoint can reach the exitpoint. [V18]'),
  NODE_SIDE_BRANCH: info('No message of a node can reach the exitpoint. [V19]'),
  SEQUENTIAL_UNKNOWN: error('sequential lists a node that is not defined. [V20]'),
  SEQUENTIAL_EMPTY: error('sequential lists no node. [V20]'),
  NODE_UNUSED: warning('No workflow uses a node. [V20]'),
} as const

const SETTING_CODES = {
  CONFIG_NAME: error('A configuration name is not upper case letters, digits and "_". [V21]'),
  CONFIG_DUPLICATE: error('A configuration name is declared twice. [V21]'),
  CONFIG_RESERVED: error('A configuration name belongs to the engine or the system. [V21]'),
  REPLICAS_RANGE: error('replicas is not within 0 and 100. [V22]'),
  OBJECT_STORE_NAME: error('The name of an object store is not legal. [V23]'),
  OBJECT_STORE_SCOPE: error('The scope of an object store is neither workflow nor project. [V23]'),
  RESOURCES_INVALID: error('A quantity is malformed, or a limit lies below its request.'),
  DASHBOARD_INVALID: warning('A dashboard is not JSON, or larger than 1 MiB. [V27]'),
} as const

export const ISSUE_CODES = {
  ...ARCHIVE_CODES,
  ...YAML_CODES,
  ...FIELD_CODES,
  ...PROTO_CODES,
  ...CODE_CODES,
  ...MODEL_CODES,
  ...GRAPH_CODES,
  ...SETTING_CODES,
} as const satisfies Readonly<Record<string, CodeFacts>>
export type IssueCode = keyof typeof ISSUE_CODES
