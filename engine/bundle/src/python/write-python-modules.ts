/** Python modules of the bundle's messages, in the form of protoc 3.20 and later: `import public_input_pb2`. */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { isAnnotationFile, wellKnownFile } from '../proto/well-known.ts'

/**
 * Writes `<path>_pb2.py` for each file of the set; well-known types come with `google.protobuf`.
 *
 * @param descriptorSet google.protobuf.FileDescriptorSet, imports before importers.
 * @param directory put it on `sys.path`. Existing modules are replaced one by one, never half written.
 */
export async function writePythonModules(
  descriptorSet: Uint8Array,
  directory: string,
): Promise<void> {
  const { file } = fromBinary(FileDescriptorSetSchema, descriptorSet)
  await mkdir(directory, { recursive: true })
  for (const descriptor of file) {
    if (wellKnownFile(descriptor.name) !== undefined) continue
    const path = join(directory, `${moduleName(descriptor.name).replaceAll('.', '/')}.py`)
    await mkdir(dirname(path), { recursive: true })
    const draft = `${path}.${randomUUID().slice(0, 8)}`
    await writeFile(draft, pythonModule(withoutAnnotations(descriptor)))
    await rename(draft, path)
  }
}

/**
 * Annotations of rpcs mean nothing to a node, and their modules may not be there: a package `google` of the runtime
 * would hide one of ours.
 */
function withoutAnnotations(file: FileDescriptorProto): FileDescriptorProto {
  const kept = file.dependency.filter((name) => !isAnnotationFile(name))
  const isPublic = new Set(file.publicDependency.map((index) => file.dependency[index]))
  const publicDependency = kept.flatMap((name, index) => (isPublic.has(name) ? [index] : []))
  return { ...file, dependency: kept, publicDependency }
}

/** The source of one module. */
export function pythonModule(file: FileDescriptorProto): string {
  const serialized = toBinary(FileDescriptorProtoSchema, file)
  return `# -*- coding: utf-8 -*-
# Generated from ${commentText(file.name)}. Do not edit.
"""Generated protocol buffer code."""
from google.protobuf.internal import builder as _builder
from google.protobuf import descriptor_pool as _descriptor_pool
from google.protobuf import symbol_database as _symbol_database

_sym_db = _symbol_database.Default()

${file.dependency.map((name, index) => importLines(name, file.publicDependency.includes(index))).join('')}
DESCRIPTOR = _descriptor_pool.Default().AddSerializedFile(${bytesLiteral(serialized)})

_globals = globals()
_builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, _globals)
_builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, ${JSON.stringify(moduleName(file.name))}, _globals)
`
}

/** protoc's rule: `a-b/c.proto` is module `a_b.c_pb2`. No dot is left in its path, so it stays in its folder. */
function moduleName(protoName: string): string {
  const stem = protoName.replace(/\.(?:proto|protodevel)$/, '')
  return `${stem.replaceAll('-', '_').replaceAll('/', '.')}_pb2`
}

/** importlib reaches modules whose names Python's grammar does not allow, such as `import.class_pb2`. */
function importLines(protoName: string, isPublic: boolean): string {
  const module = moduleName(protoName)
  const alias = module.replaceAll('_', '__').replaceAll('.', '_dot_').replaceAll(/\W/g, '_')
  const plain = module
    .split('.')
    .every((part) => /^[A-Za-z_]\w*$/.test(part) && !KEYWORDS.has(part))
  const lastDot = module.lastIndexOf('.')
  const from = lastDot === -1 ? '' : `from ${module.slice(0, lastDot)} `
  const name = module.slice(lastDot + 1)
  const line = plain
    ? `${from}import ${name} as ${alias}\n`
    : `import importlib\n${alias} = importlib.import_module(${JSON.stringify(module)})\n`
  return isPublic && plain ? `${line}from ${module} import *\n` : line
}

function bytesLiteral(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const printable = byte >= 0x20 && byte <= 0x7e && byte !== 0x27 && byte !== 0x5c
    text += printable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `b'${text}'`
}

function commentText(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?')
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
)
