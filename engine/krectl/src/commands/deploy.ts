import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { imagesDir } from '../images/build-images.ts'
import { IMAGE_NAMES } from '../images/image-list.ts'
import { chartValues } from '../minikube/chart-values.ts'
import {
  awaitMongodb,
  createNamespace,
  deployChart,
  findNamespace,
  findSecret,
  makeObjects,
} from '../minikube/cluster-calls.ts'
import { readClusterSettings, type ClusterSettings } from '../minikube/cluster-settings.ts'
import { mongodbObjects, newPassword } from '../minikube/mongodb-objects.ts'
import { runCalls } from '../minikube/run-calls.ts'
import { askProgram } from '../programs/run-program.ts'
import { buildForMinikube, readPushed } from './build.ts'

type DeployOptions = {
  build?: boolean
  createNamespace?: boolean
  withMongodb?: boolean
  values: string[]
  dryRun?: boolean
}

export function deployCommand(program: Command, context: Context): void {
  program
    .command('deploy')
    .description('installs KRE on the cluster of minikube with Helm, or upgrades it')
    .option('--build', 'build the images first')
    .option('--create-namespace', 'make the namespace when it is not there')
    .option('--with-mongodb', 'make a MongoDB for development when its Secret is not there')
    .option(
      '-f, --values <file>',
      'more values of the chart, which win',
      (file: string, files: string[]) => [...files, file],
      [],
    )
    .option('--dry-run', 'only say what would be called')
    .action(async (options: DeployOptions) => {
      const settings = readClusterSettings(context.environment)
      const { release, namespace } = settings
      await deploy(context, settings, options)
      if (options.dryRun !== true)
        context.output.result(
          { release, namespace },
          `Release "${release}" is installed in namespace "${namespace}". Sign in with: krectl login --target minikube`,
        )
    })
}

/** @throws KreError `failed-precondition` for what has to be there first, before anything is changed. */
export async function deploy(
  context: Context,
  settings: ClusterSettings,
  options: DeployOptions,
): Promise<void> {
  const { dryRun = false } = options
  const given = options.values.map((file) => resolve(context.cwd, file))
  for (const file of given)
    if ((await stat(file).catch(() => null)) === null)
      throw new KreError('not-found', `${file} can't be read: --values names a file with values`)
  const chart = join(context.root, 'helm', 'kre')
  const ours = join(imagesDir(context), 'values.json')
  const calls = [deployChart(settings, chart, [ours, ...given])]
  if (dryRun) {
    const before = options.createNamespace === true ? [createNamespace(settings)] : []
    return runCalls(context, [...before, ...calls], { dryRun })
  }
  await requireNamespace(context, settings, options.createNamespace === true)
  await requireMongodb(context, settings, options.withMongodb === true)
  if (options.build === true) await buildForMinikube(context, IMAGE_NAMES)
  const images = await readPushed(context)
  await mkdir(imagesDir(context), { recursive: true })
  await writeFile(ours, `${JSON.stringify(chartValues({ ...settings, images }), null, 2)}\n`)
  await runCalls(context, calls)
}

/** Namespaces have owners and rules: none is made unasked. */
async function requireNamespace(
  context: Context,
  settings: ClusterSettings,
  create: boolean,
): Promise<void> {
  if ((await askProgram(context, findNamespace(settings))) !== '') return
  if (create) return runCalls(context, [createNamespace(settings)])
  throw new KreError(
    'failed-precondition',
    `the cluster has no namespace "${settings.namespace}": make it with kubectl create namespace, name another one in NAMESPACE, or add --create-namespace`,
  )
}

/** One that is there is somebody's, whatever it leads to. */
async function requireMongodb(
  context: Context,
  settings: ClusterSettings,
  make: boolean,
): Promise<void> {
  const { mongodbSecret, namespace } = settings
  if ((await askProgram(context, findSecret(settings, mongodbSecret))) !== '') return
  if (make) {
    const objects = mongodbObjects(settings, newPassword())
    return runCalls(context, [makeObjects(settings, objects), awaitMongodb(settings)])
  }
  throw new KreError(
    'failed-precondition',
    `namespace "${namespace}" has no Secret "${mongodbSecret}" with MongoDB's connection string in the key "uri": kubectl create secret generic ${mongodbSecret} --namespace ${namespace} --from-file uri=FILE makes it, KRE_MONGODB_SECRET names another one, and --with-mongodb makes a MongoDB for development`,
  )
}
