/** Images on the node: those of KRE that podman has, and servers of others, made here out of one program each. */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseJson } from '@kre/contracts'
import { z } from 'zod'
import { podman } from '../../images/podman.ts'
import { findPrograms } from './find-programs.ts'
import { root } from '../../support/kre.ts'
import { NODE_DIR } from './why-no-pods.ts'

const run = promisify(execFile)
const NAMES = {
  engine: 'localhost/kre/engine:test',
  entrypoint: 'localhost/kre/entrypoint:test',
  typescript: 'localhost/kre/runner-typescript:test',
  python: 'localhost/kre/runner-python:test',
  onnx: 'localhost/kre/runner-onnx:test',
  nats: 'localhost/kre-test/nats:1',
  ferretdb: 'localhost/kre-test/ferretdb:1',
} as const
export type LoadedImage = { repository: string; digest: string }
export type NodeImages = Readonly<Record<keyof typeof NAMES, LoadedImage>>

/** What the node has already: ids of podman's, and the digests that pods name. */
const Loaded = z.object({ ids: z.string(), digests: z.record(z.string(), z.string()) })
const KEPT = join(NODE_DIR, 'node', 'images.json')

export async function loadImages(): Promise<NodeImages> {
  const { natsServer, ferretdb } = await findPrograms()
  await makeImage(NAMES.nats, natsServer, 'nats-server')
  await makeImage(NAMES.ferretdb, ferretdb, 'ferretdb')
  const names = Object.values(NAMES)
  const ids = await podman('image', 'inspect', '--format', '{{.Id}}', ...names)
  const kept = Loaded.safeParse(parseJson(await readFile(KEPT, 'utf8').catch(() => 'null')))
  const digests =
    kept.success && kept.data.ids === ids ? kept.data.digests : await bringToNode(names)
  await writeFile(KEPT, JSON.stringify({ ids, digests }))
  const entries = Object.entries(NAMES).map(([key, name]): [string, LoadedImage] => {
    const digest = digests[name]
    if (digest === undefined) throw new Error(`the node has no image ${name}`)
    return [key, { repository: name.replace(/:\w+$/, ''), digest }]
  })
  return Object.fromEntries(entries) as Record<keyof typeof NAMES, LoadedImage>
}

/** With nothing in it but a program that needs no library. */
async function makeImage(name: string, program: string, as: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kre-image-'))
  try {
    await copyFile(program, join(folder, as))
    const lines = ['FROM scratch', `COPY --chmod=0755 ${as} /bin/${as}`, 'ENV PATH=/bin']
    await writeFile(join(folder, 'Containerfile'), lines.join('\n'))
    await podman('build', '--quiet', '--timestamp', '0', '--tag', name, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function bringToNode(names: readonly string[]): Promise<Record<string, string>> {
  const script = join(root, 'tests/pods/machine/load.sh')
  const { stdout } = await run('bash', [script, ...names], {
    env: { ...process.env, KRE_CLUSTER_DIR: NODE_DIR },
  })
  const rows = stdout.trim().split('\n')
  return Object.fromEntries(
    rows.map((row) => row.split(' ')).map(([name = '', digest = '']) => [name, digest]),
  )
}
