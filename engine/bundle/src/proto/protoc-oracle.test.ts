import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { lowerLimits } from '../limits.ts'
import { writePythonModules } from '../python/write-python-modules.ts'
import { findPythonWithProtobuf, type Python } from '../testing/python.ts'
import { RICH_PROTOS } from '../testing/rich-protos.ts'
import { temporaryFolder, writeFiles } from '../testing/temporary-folder.ts'
import { compileClosure } from './compile-closure.ts'

const python = findPythonWithProtobuf()
const run = python === null ? test.skip : test
const suffix = python === null ? ' (no python3 with pip)' : ''

/** Prints how our descriptors differ from protoc's; nested declarations have no order of their own. */
const COMPARE = `
import sys, difflib
from google.protobuf import descriptor_pb2 as d, descriptor_pool, text_format
def load(path):
    s = d.FileDescriptorSet(); s.ParseFromString(open(path, 'rb').read()); return s
def plain(options, owner):
    options.DiscardUnknownFields()
    if not options.ListFields(): owner.ClearField('options')
def normalise(m):
    for n in m.nested_type: normalise(n)
    for f in list(m.field) + list(m.oneof_decl): plain(f.options, f)
    for kind in ('nested_type', 'enum_type', 'extension'):
        items = sorted((type(x).FromString(x.SerializeToString()) for x in getattr(m, kind)), key=lambda x: x.name)
        m.ClearField(kind); getattr(m, kind).extend(items)
ours = {f.name: f for f in load(sys.argv[1]).file}
theirs = {f.name: f for f in load(sys.argv[2]).file}
assert sorted(ours) == sorted(theirs), (sorted(ours), sorted(theirs))
for name in ours:
    if name.startswith('google/protobuf/'): continue
    for f in (ours[name], theirs[name]):
        for m in f.message_type: normalise(m)
        for s in f.service:
            for r in s.method: plain(r.options, r)
    for line in difflib.unified_diff(text_format.MessageToString(theirs[name]).splitlines(), text_format.MessageToString(ours[name]).splitlines(), 'protoc ' + name, 'ours', lineterm=''): print(line)
pool = descriptor_pool.DescriptorPool()
for f in load(sys.argv[1]).file: pool.AddSerializedFile(f.SerializeToString())
pool.FindServiceByName('kre.rich.v1.Entrypoint')
`

const USE_MODULES = `
import public_input_pb2 as p
from google.protobuf import json_format
from common import types_pb2
m = p.Everything(f_string='x', f_bytes=bytes([0, 255]), maybe=0, as_size=types_pb2.Size(w=3))
m.by_name['k'].f_int32 = 7
m.values_by_id[1].string_value = 'v'
m.at.seconds = 5
m.old.name = 'n'
again = p.Everything.FromString(m.SerializeToString())
assert again == m and again.HasField('maybe') and again.WhichOneof('choice') == 'as_size'
assert json_format.MessageToDict(m)['renamedString'] == 'x'
assert p.SHADE_DARK == 1 and p.Everything.Inner.LOCAL_EIGHT == 8
assert p.DESCRIPTOR.services_by_name['Entrypoint'].methods_by_name['Save'].output_type.full_name == 'common.Size'
import importlib
old = importlib.import_module('legacy.old_style_pb2')
assert old.Old().name == 'a "quoted" \\n name' and old.Old().raw == b'\\x01\\xffabc\\\\' and old.Old().ratio == 1500.0
o = old.Old(name='z'); o.Extensions[old.outside] = 4; o.result.add(url='u')
assert old.Old.FromString(o.SerializeToString()).Extensions[old.outside] == 4
print('ok')
`

async function compileRich(): Promise<Uint8Array> {
  const closure = await compileClosure(
    'public_input.proto',
    {
      has: (path) => Object.hasOwn(RICH_PROTOS, path),
      sizeOf: (path) => Buffer.byteLength(RICH_PROTOS[path] ?? ''),
      read: async (path) => Buffer.from(RICH_PROTOS[path] ?? ''),
    },
    lowerLimits(),
  )
  if (!closure.ok) throw new Error(JSON.stringify(closure.issues))
  return closure.descriptorSet
}

describe('beside protoc', () => {
  run(`descriptors say the same as protoc's${suffix}`, async () => {
    await using folder = await temporaryFolder()
    await writeFiles(folder.path, RICH_PROTOS)
    await writeFile(join(folder.path, 'ours.bin'), await compileRich())
    const { run: runPython } = python as Python
    const options = ['--include_imports', '--descriptor_set_out=protoc.bin']
    runPython(['-m', 'grpc_tools.protoc', '-I.', ...options, 'public_input.proto'], {
      cwd: folder.path,
    })
    expect(runPython(['-c', COMPARE, 'ours.bin', 'protoc.bin'], { cwd: folder.path })).toBe('')
  })

  for (const implementation of ['upb', 'python'])
    run(
      `Python modules work with protobuf's ${implementation} implementation${suffix}`,
      async () => {
        await using folder = await temporaryFolder()
        await writePythonModules(await compileRich(), folder.path)
        const { run: runPython } = python as Python
        const env = { PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION: implementation }
        expect(runPython(['-c', USE_MODULES], { cwd: folder.path, env })).toBe('ok\n')
      },
    )
})
