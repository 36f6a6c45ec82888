/** Reads the entrypoint's .proto and all it imports, and makes the descriptors that runners and clients use. */
import { create, createFileRegistry, toBinary } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
  type ServiceDescriptorProto,
} from '@bufbuild/protobuf/wkt'
import type { KrtIssue } from '@kre/contracts'
import protobuf from 'protobufjs'
import { BundleRejection, errorIssue, printable } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'
import { checkDescriptor } from './check-descriptor.ts'
import { importCandidates } from './import-path.ts'
import { linkTypes } from './link-types.ts'
import { type ProtoScan, scanProto, syntaxRejection } from './scan-proto.ts'
import { createSymbolTable, joinName } from './symbol-table.ts'
import { toFileDescriptor } from './to-file-descriptor.ts'
import { wellKnownFile } from './well-known.ts'

/** The files of a bundle as the compiler sees them: nothing else can be reached. */
export type ProtoSource = {
  has(path: string): boolean
  /** Bytes of the file; known without reading it. */
  sizeOf(path: string): number
  read(path: string): Promise<Uint8Array>
}

export type EntrypointService = {
  /** Full name, for example `digits.Entrypoint`. */
  readonly name: string
  readonly methods: readonly {
    readonly rpc: string
    readonly requestType: string
    readonly responseType: string
    readonly clientStreaming: boolean
    readonly serverStreaming: boolean
  }[]
}

export type ProtoClosure =
  | { readonly ok: true; readonly descriptorSet: Uint8Array; readonly service: EntrypointService }
  | {
      readonly ok: false
      readonly issues: KrtIssue[]
      /** Known when the service was read although something else is wrong. */
      readonly service: EntrypointService | null
    }

type LoadedFile = { scan: ProtoScan; descriptor: FileDescriptorProto }

const SERVICE_NAME = 'Entrypoint'

/**
 * @param entry path of the entrypoint's .proto in the bundle.
 * @returns every issue of every file; a file that does not parse hides only what it declares.
 */
export async function compileClosure(
  entry: string,
  source: ProtoSource,
  limits: BundleLimits,
): Promise<ProtoClosure> {
  const issues: KrtIssue[] = []
  const loader = createLoader(source, limits, issues)
  try {
    await loader.load(entry, [])
  } catch (thrown) {
    if (!(thrown instanceof BundleRejection)) throw thrown
    issues.push(thrown.issue)
    return { ok: false, issues, service: null }
  }
  if (loader.complete()) issues.push(...linkAll(loader.ordered, loader.files))
  const root = loader.files.get(entry)
  const service = root === undefined ? null : findService(entry, root, issues)
  if (service === null || issues.length > 0) return { ok: false, issues, service }
  const set = create(FileDescriptorSetSchema, { file: loader.ordered })
  try {
    return { ok: true, descriptorSet: encodeLoadable(set), service }
  } catch (thrown) {
    return { ok: false, issues: [syntaxRejection(entry, '', thrown).issue], service }
  }
}

/** The last word has a protobuf runtime: it throws for what no client could load. */
function encodeLoadable(set: FileDescriptorSet): Uint8Array {
  createFileRegistry(set)
  return toBinary(FileDescriptorSetSchema, set)
}

/** Depth first, so that `ordered` holds every file behind all it imports. */
function createLoader(source: ProtoSource, limits: BundleLimits, issues: KrtIssue[]) {
  const files = new Map<string, LoadedFile>()
  const ordered: FileDescriptorProto[] = []
  const done = new Set<string>()
  let bytes = 0
  let types = 0
  let count = 0

  async function load(path: string, importers: readonly string[]): Promise<void> {
    if (done.has(path)) return
    done.add(path)
    const wellKnown = wellKnownFile(path)
    if (wellKnown !== undefined) {
      for (const dependency of wellKnown.dependency) await load(dependency, [...importers, path])
      ordered.push(wellKnown)
      return
    }
    const text = await readProto(path)
    const scan = scanProto(path, text, limits)
    types += scan.typeCount
    if (types > limits.protoMessagesMax)
      throw new BundleRejection(
        'PROTO_LIMIT',
        `the protos declare more than ${limits.protoMessagesMax} messages and enums`,
        { file: path },
      )
    if (scan.syntax !== 'proto2' && scan.syntax !== 'proto3')
      throw new BundleRejection(
        'PROTO_SYNTAX',
        `${printable(path)}: syntax or edition ${printable(scan.syntax)} is not supported`,
        { file: path, line: 1, column: 1 },
        'write: syntax = "proto3";',
      )
    const dependencies = await loadImports(path, scan, importers)
    const descriptor = parseFile(path, text, scan, dependencies)
    files.set(path, { scan, descriptor })
    ordered.push(descriptor)
  }

  async function readProto(path: string): Promise<string> {
    const size = source.sizeOf(path)
    bytes += size
    count += 1
    const exceeded =
      size > limits.protoBytesMax
        ? `${printable(path)} has ${size} bytes, allowed are ${limits.protoBytesMax}`
        : bytes > limits.protoTotalBytesMax
          ? `the protos have more than ${limits.protoTotalBytesMax} bytes together`
          : count > limits.protoFilesMax
            ? `the entrypoint needs more than ${limits.protoFilesMax} proto files`
            : null
    if (exceeded !== null) throw new BundleRejection('PROTO_LIMIT', exceeded, { file: path })
    return decodeProto(path, await source.read(path))
  }

  async function loadImports(
    path: string,
    scan: ProtoScan,
    importers: readonly string[],
  ): Promise<string[]> {
    const dependencies: string[] = []
    for (const wanted of scan.imports) {
      const place = { file: path, line: wanted.line, column: wanted.column }
      const candidates = importCandidates(path, wanted.path)
      const found = candidates.find(
        (candidate) => wellKnownFile(candidate) !== undefined || source.has(candidate),
      )
      if (found === undefined)
        issues.push(
          errorIssue(
            'PROTO_IMPORT',
            candidates.length === 0
              ? `import ${printable(wanted.path)} is not a path inside the bundle`
              : `import ${printable(wanted.path)} is not in the bundle`,
            place,
            'imports are looked up from the root of the bundle, then beside the importing file',
          ),
        )
      else if (found === path || importers.includes(found))
        issues.push(
          errorIssue(
            'PROTO_IMPORT',
            `import ${printable(wanted.path)} goes round in a circle`,
            place,
          ),
        )
      else if (dependencies.includes(found))
        issues.push(
          errorIssue('PROTO_IMPORT', `import ${printable(wanted.path)} is there twice`, place),
        )
      else {
        dependencies.push(found)
        await load(found, [...importers, path])
      }
    }
    return dependencies
  }

  return {
    files,
    ordered,
    load,
    /** False after a missing import: then unknown types would be reported a second time. */
    complete: () => !issues.some(({ code }) => code === 'PROTO_IMPORT'),
  }
}

function decodeProto(path: string, bytes: Uint8Array): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new BundleRejection(
      'PROTO_SYNTAX',
      `${printable(path)} is not UTF-8 text (save it as UTF-8)`,
      {
        file: path,
        line: 1,
        column: 1,
      },
    )
  }
  if (text.includes('\0') || text.trimStart().startsWith('{'))
    throw new BundleRejection('PROTO_SYNTAX', `${printable(path)} is not a .proto file`, {
      file: path,
      line: 1,
      column: 1,
    })
  return text
}

function parseFile(
  path: string,
  text: string,
  scan: ProtoScan,
  dependencies: readonly string[],
): FileDescriptorProto {
  const twice = scan.services.get(SERVICE_NAME)?.[1]
  if (twice !== undefined)
    throw new BundleRejection(
      'PROTO_SERVICE',
      `${printable(path)} has two services ${SERVICE_NAME}`,
      {
        file: path,
        ...twice,
      },
    )
  try {
    const { root } = protobuf.parse(text, new protobuf.Root(), { keepCase: true })
    return toFileDescriptor(path, root, scan, dependencies)
  } catch (thrown) {
    throw syntaxRejection(path, text, thrown)
  }
}

function linkAll(
  ordered: readonly FileDescriptorProto[],
  files: ReadonlyMap<string, LoadedFile>,
): KrtIssue[] {
  const issues: KrtIssue[] = []
  const symbols = createSymbolTable()
  const byName = new Map(ordered.map((file) => [file.name, file]))
  for (const descriptor of ordered) {
    const clashes = symbols.addFile(descriptor)
    const file = files.get(descriptor.name)
    if (file === undefined) continue
    for (const { name, before } of clashes)
      issues.push(
        errorIssue(
          'PROTO_SYNTAX',
          `${printable(descriptor.name)}: ${printable(name)} is already defined in ${printable(before.file)}`,
          {
            file: descriptor.name,
            line: file.scan.positions.get(name)?.line ?? 1,
            column: file.scan.positions.get(name)?.column ?? 1,
          },
        ),
      )
    const visible = visibleFiles(descriptor, byName)
    issues.push(...linkTypes(descriptor, { symbols, visible, scan: file.scan }))
    issues.push(...checkDescriptor(descriptor, file.scan))
  }
  return issues
}

function visibleFiles(
  file: FileDescriptorProto,
  byName: ReadonlyMap<string, FileDescriptorProto>,
): Set<string> {
  const visible = new Set([file.name])
  const add = (name: string): void => {
    if (visible.has(name)) return
    visible.add(name)
    const imported = byName.get(name)
    for (const index of imported?.publicDependency ?? []) add(imported?.dependency[index] ?? '')
  }
  for (const dependency of file.dependency) add(dependency)
  return visible
}

function findService(
  path: string,
  { descriptor }: LoadedFile,
  issues: KrtIssue[],
): EntrypointService | null {
  const service = descriptor.service.find(({ name }) => name === SERVICE_NAME)
  if (service !== undefined) return describeService(descriptor.package, service)
  const others = descriptor.service.map(({ name }) => name)
  issues.push(
    errorIssue(
      'PROTO_SERVICE',
      `${printable(path)} has no service ${SERVICE_NAME}${others.length === 0 ? '' : `; it has ${others.join(', ')}`}`,
      { file: path, line: 1, column: 1 },
      `declare: service ${SERVICE_NAME} { rpc … }`,
    ),
  )
  return null
}

function describeService(packageName: string, service: ServiceDescriptorProto): EntrypointService {
  return {
    name: joinName(packageName, service.name),
    methods: service.method.map((method) => ({
      rpc: method.name,
      requestType: method.inputType.replace(/^\./, ''),
      responseType: method.outputType.replace(/^\./, ''),
      clientStreaming: method.clientStreaming,
      serverStreaming: method.serverStreaming,
    })),
  }
}
