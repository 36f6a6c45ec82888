import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './kre.ts'

/** The templates of krectl in one bundle: a node in TypeScript, and after it one in Python. */
export async function writeMixedBundle(directory: string): Promise<void> {
  const templates = join(root, 'engine/krectl/templates')
  await cp(join(templates, 'typescript'), directory, { recursive: true })
  for (const file of ['src/greet.py', 'requirements.txt'])
    await cp(join(templates, 'python', file), join(directory, file))
  const manifest = await readFile(join(directory, 'kre.yaml'), 'utf8')
  const mixed = manifest.replace(
    /image: konstellation\/kre-ts:1\.0\n(\s+)src: src\/greet\.ts/,
    'image: konstellation/kre-py:3.4\n$1src: src/greet.py',
  )
  await writeFile(join(directory, 'kre.yaml'), mixed)
}
