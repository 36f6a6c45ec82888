/** The bases that images stand on: named ones, or such as are made here from Debian's packages. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { runProgram } from '../programs/run-program.ts'
import {
  architectureOf,
  baseCall,
  type Builder,
  type Epoch,
  type ImageBases,
} from './build-calls.ts'
import type { Platform } from './lock-tree.ts'
import type { DebianPackage } from './write-sbom.ts'

/** Where the CPython of Debian looks for packages, whatever its version. */
const DEBIAN_SITE = '/usr/lib/python3/dist-packages'

export type Bases = ImageBases & {
  /** Of bases made here: what is in them, for the bill of materials. */
  contents: {
    nodeVersion: string
    debian: { node: DebianPackage[]; python: DebianPackage[] }
  } | null
}

type BaseInput = {
  builder: Builder
  platform: Platform
  epoch: Epoch
  /** Folder for what is made. */
  folder: string
  /** Whether an image needs CPython. */
  withPython: boolean
  environment: Readonly<Record<string, string>>
}

/**
 * @throws KreError `failed-precondition` for another architecture than this computer's, whose packages and Node.js
 *   are not at hand, and where Debian's packages can't be had.
 */
export async function makeDebianBases(context: Context, input: BaseInput): Promise<Bases> {
  const { platform } = input
  if (process.platform !== 'linux' || process.arch !== platform.cpu)
    throw new KreError(
      'failed-precondition',
      `bases from Debian packages are made for the computer they are made on (${process.platform}/${process.arch}), not for ${platform.os}/${platform.cpu}: leave out --base debian`,
    )
  const node = await makeBase(context, input, 'node')
  const python = input.withPython ? await makeBase(context, input, 'python') : node
  return {
    node: node.reference,
    python: python.reference,
    pythonSite: DEBIAN_SITE,
    contents: {
      nodeVersion: process.versions.node,
      debian: { node: node.packages, python: python.packages },
    },
  }
}

async function makeBase(
  context: Context,
  { builder, platform, epoch, folder, environment }: BaseInput,
  kind: 'node' | 'python',
): Promise<{ reference: string; packages: DebianPackage[] }> {
  const out = join(folder, `base-${kind}`)
  const reference = `localhost/kre/base-${kind}:debian-${architectureOf(platform)}`
  context.output.step(`Making the base "${kind}" from Debian packages`)
  const script = join(context.root, 'images/base/make.sh')
  await runProgram(context, { program: 'bash', args: [script, kind, out, process.execPath] })
  await runProgram(
    context,
    baseCall({
      builder,
      reference,
      platform,
      context: out,
      containerfile: join(context.root, 'images/base/Containerfile'),
      labels: { 'org.opencontainers.image.title': `KRE base (${kind})` },
      epoch,
      environment,
    }),
  )
  return { reference, packages: await readPackages(join(out, 'packages.tsv')) }
}

async function readPackages(file: string): Promise<DebianPackage[]> {
  const rows = (await readFile(file, 'utf8')).split('\n').filter((row) => row !== '')
  return rows.map((row) => {
    const [name = '', version = '', architecture = ''] = row.split('\t')
    return { name, version, architecture }
  })
}
