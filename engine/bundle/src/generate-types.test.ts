import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { generateTypes } from './generate-types.ts'
import { RICH_PROTOS } from './testing/rich-protos.ts'
import { SAMPLE_FILES } from './testing/sample-bundle.ts'
import { temporaryFolder, writeFiles } from './testing/temporary-folder.ts'

describe('generateTypes', () => {
  test('writes a module and its declarations per proto, whatever is wrong with the sources', async () => {
    await using folder = await temporaryFolder()
    await writeFiles(folder.path, { 'kre.yaml': SAMPLE_FILES['kre.yaml'] ?? '', ...RICH_PROTOS })
    const written = await generateTypes(folder.path)
    expect(written.map((path) => path.slice(folder.path.length)).toSorted()).toEqual(
      ['common/deep', 'common/types', 'legacy/old-style', 'public_input']
        .flatMap((name) => [`/gen/${name}_pb.d.ts`, `/gen/${name}_pb.js`])
        .toSorted(),
    )
    const declarations = await readFile(join(folder.path, 'gen/public_input_pb.d.ts'), 'utf8')
    expect(declarations).toContain(
      'export declare type Everything = Message<"kre.rich.v1.Everything">',
    )
    expect(declarations).toContain('from "./common/types_pb.js"')
  })

  test('writes elsewhere when asked', async () => {
    await using folder = await temporaryFolder()
    await writeFiles(folder.path, SAMPLE_FILES)
    const out = join(folder.path, 'types')
    expect(await generateTypes(folder.path, { out })).toEqual([
      join(out, 'public_input_pb.js'),
      join(out, 'public_input_pb.d.ts'),
    ])
  })

  test.each([
    ['no manifest', {}, 'not-found', /kre\.yaml/],
    [
      'no proto',
      { 'kre.yaml': SAMPLE_FILES['kre.yaml'] ?? '' },
      'not-found',
      /public_input\.proto/,
    ],
    [
      'a broken proto',
      { 'kre.yaml': SAMPLE_FILES['kre.yaml'] ?? '', 'public_input.proto': 'message {' },
      'failed-precondition',
      /PROTO_SYNTAX/,
    ],
  ])('says so when there is %s', async (_what, files, code, message) => {
    await using folder = await temporaryFolder()
    await writeFiles(folder.path, files)
    await expect(generateTypes(folder.path)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  test('does not follow links', async () => {
    await using folder = await temporaryFolder()
    await writeFiles(folder.path, { 'kre.yaml': SAMPLE_FILES['kre.yaml'] ?? '' })
    await symlink('/etc/passwd', join(folder.path, 'public_input.proto'))
    await expect(generateTypes(folder.path)).rejects.toMatchObject({ code: 'not-found' })
  })
})
