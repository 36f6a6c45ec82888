/** Types for TypeScript nodes: what protoc-gen-es makes of the entrypoint's .proto. */
import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  type CodeGeneratorRequest,
  CodeGeneratorRequestSchema,
  type CodeGeneratorResponse,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { formatIssue, KreError, type KrtIssue, readEntrypointProto } from '@kre/contracts'
import { directoryProtos } from './directory/directory-protos.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { compileClosure } from './proto/compile-closure.ts'
import { isAnnotationFile, wellKnownFile } from './proto/well-known.ts'
import { MANIFEST_NAMES } from './validate/find-manifest.ts'

/** Plain JavaScript with declarations runs in every Node without a build step. */
const PLUGIN_PARAMETER = 'target=js+dts,import_extension=js'
const PLUGIN_TIMEOUT_MS = 60_000

/**
 * Writes `<proto>_pb.js` and `<proto>_pb.d.ts` for the entrypoint's .proto and its imports.
 *
 * @param directory the bundle's folder, with its manifest.
 * @param out where the files go; default `gen` in the bundle.
 * @returns absolute paths of what was written.
 * @throws KreError `not-found` without a manifest, `failed-precondition` with all issues of the protos.
 */
export async function generateTypes(
  directory: string,
  { out = join(directory, 'gen') }: { out?: string } = {},
): Promise<string[]> {
  const root = resolve(directory)
  const protos = directoryProtos(root)
  const manifest = MANIFEST_NAMES.find((name) => protos.has(name))
  if (manifest === undefined)
    throw new KreError(
      'not-found',
      `${root} has no manifest; it is named ${MANIFEST_NAMES.join(', ')}`,
    )
  const entry = readEntrypointProto(await readFile(join(root, manifest), 'utf8'))
  if (entry === null || !protos.has(entry))
    throw new KreError(
      'not-found',
      `${join(root, manifest)}: entrypoint.proto ${entry === null ? 'is not set' : `"${entry}" is not in the folder`}`,
    )
  const closure = await compileClosure(entry, protos, DEFAULT_LIMITS)
  if (!closure.ok) throw refused(closure.issues)
  const { file } = fromBinary(FileDescriptorSetSchema, closure.descriptorSet)
  const generated = await runPlugin(
    create(CodeGeneratorRequestSchema, {
      fileToGenerate: file
        .map(({ name }) => name)
        .filter((name) => wellKnownFile(name) === undefined || isAnnotationFile(name)),
      parameter: PLUGIN_PARAMETER,
      protoFile: file,
    }),
  )
  return writeFiles(generated, resolve(out))
}

function refused(issues: readonly KrtIssue[]): KreError {
  return new KreError('failed-precondition', issues.map(formatIssue).join('\n'))
}

async function runPlugin(request: CodeGeneratorRequest): Promise<CodeGeneratorResponse> {
  const manifest = createRequire(import.meta.url).resolve('@bufbuild/protoc-gen-es/package.json')
  const plugin = spawn(process.execPath, [join(dirname(manifest), 'bin', 'protoc-gen-es')], {
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: PLUGIN_TIMEOUT_MS,
  })
  const output: Buffer[] = []
  let stderr = ''
  plugin.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  plugin.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  plugin.stdin.on('error', () => plugin.stdin.destroy())
  plugin.stdin.end(toBinary(CodeGeneratorRequestSchema, request))
  const code = await new Promise<number | null>((done, fail) => {
    plugin.once('error', fail).once('close', done)
  })
  if (code !== 0) throw new KreError('internal', `protoc-gen-es failed: ${stderr.trim()}`)
  const response = fromBinary(CodeGeneratorResponseSchema, Buffer.concat(output))
  if (response.error !== '') throw new KreError('internal', `protoc-gen-es: ${response.error}`)
  return response
}

async function writeFiles({ file }: CodeGeneratorResponse, out: string): Promise<string[]> {
  const written: string[] = []
  for (const { name, content } of file) {
    const path = resolve(out, name)
    if (!path.startsWith(out + sep))
      throw new KreError('internal', `protoc-gen-es wants to write ${path}, outside of ${out}`)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    written.push(path)
  }
  return written
}
