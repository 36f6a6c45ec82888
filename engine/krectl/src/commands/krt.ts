import { cp, mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
// Loaded when a command needs it: each start of krectl would pay for it.
const bundles = () => import('@kre/bundle')
import { formatIssue, KreError, resolveRunner, toYaml, type KrtIssue } from '@kre/contracts'
import { BundleRefused } from '../api/admin-client.ts'
import { fetchModels } from '../bundle/fetch-models.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { printable, table } from '../output/output.ts'

const templatesDir = join(import.meta.dirname, '..', '..', 'templates')

export function krtCommands(program: Command, context: Context): void {
  const krt = program
    .command('krt')
    .description('make, check and pack bundles: no engine is needed')
  initCommand(krt, context)
  validateCommand(krt, context)
  buildCommand(krt, context)
  showCommand(krt, context)

  krt
    .command('types <folder>')
    .description("write TypeScript types of the bundle's messages into its gen/ folder")
    .action(async (folder: string) => {
      const written = (await (await bundles()).generateTypes(resolve(context.cwd, folder))).map(
        (file) => relative(context.cwd, file),
      )
      context.output.result({ written }, written.map((file) => `wrote ${file}`).join('\n'))
    })
}

function initCommand(krt: Command, context: Context): void {
  krt
    .command('init <folder>')
    .description('start a bundle from a template')
    .option('-t, --template <name>', 'typescript or python', 'typescript')
    .action(async (folder: string, { template }: { template: string }) => {
      const names = await readdir(templatesDir)
      if (!names.includes(template))
        throw new UsageError(`there is no template "${template}"; there are: ${names.join(', ')}`)
      const target = resolve(context.cwd, folder)
      const kind = await stat(target).catch(() => null)
      if (kind !== null && (!kind.isDirectory() || (await readdir(target)).length > 0))
        throw new KreError(
          'already-exists',
          `${target} is a file or a folder that is not empty: choose another name`,
        )
      await mkdir(target, { recursive: true })
      await cp(join(templatesDir, template), target, { recursive: true })
      await nameAfter(target)
      const next = `krectl krt validate ${/^[\w./-]+$/.test(folder) ? folder : `'${folder}'`}`
      context.output.result(
        { folder: target, template, next },
        `A ${template} bundle is in ${folder}. Next: ${next}`,
      )
    })
}

/** The version of a new bundle is named after its folder, as far as names allow. */
async function nameAfter(folder: string): Promise<void> {
  const slug = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 15)
  if (slug === '') return
  const file = join(folder, 'kre.yaml')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace(/^version: .*$/m, `version: ${slug.replace(/-+$/, '')}-v1`))
}

function validateCommand(krt: Command, context: Context): void {
  krt
    .command('validate [path]')
    .description('check a folder or a .krt file; exit code 1 on any error')
    .option('--target <name>', 'also say what runs each node there: local')
    .option('--strict', 'unknown keys are errors')
    .action(async (path: string | undefined, options: { target?: string; strict?: boolean }) => {
      const checked = await (
        await bundles()
      ).inspectBundle(await existing(context, path ?? '.'), {
        strict: options.strict === true,
      })
      if (!checked.ok) return refuse(context, path ?? '.', checked.issues)
      for (const issue of checked.issues) context.output.step(printable(formatIssue(issue)))
      const { manifest } = checked.facts
      const runners = manifest.workflows.flatMap((workflow) =>
        workflow.nodes.map((node) => {
          const resolved = resolveRunner(node.image, node.src)
          return {
            workflow: workflow.id,
            node: node.id,
            image: node.image,
            runner: 'runner' in resolved ? resolved.runner : 'unknown',
          }
        }),
      )
      const rows = runners.map((entry) => [entry.workflow, entry.node, entry.image, entry.runner])
      const text =
        options.target === undefined
          ? ''
          : `\n${table(['WORKFLOW', 'NODE', 'IMAGE', 'RUNNER'], rows, '')}`
      context.output.result(
        { valid: true, version: manifest.version, issues: checked.issues, runners },
        `Version "${manifest.version}" is valid.${text}`,
      )
    })
}

function buildCommand(krt: Command, context: Context): void {
  krt
    .command('build [folder]')
    .description('check a folder and pack it: the same content gives the same bytes')
    .option('-i, --input <folder>', 'the folder, as an option')
    .option('-o, --output <file>', 'file to write (default: <version>.krt)')
    .option('-v, --version-name <name>', 'version name in the packed copy')
    .action(
      async (
        folder: string | undefined,
        options: { input?: string; output?: string; versionName?: string },
      ) => {
        const directory = await existing(context, folder ?? options.input ?? '.')
        await fetchModels(directory, context)
        // The name is known only after the check, so the file gets its name at the end.
        const out =
          options.output === undefined
            ? join(context.cwd, `.krt-${process.pid}.tmp`)
            : resolve(context.cwd, options.output)
        await existing(context, dirname(out))
        const built = await (
          await bundles()
        ).buildBundle({
          directory,
          out,
          ...(options.versionName === undefined ? {} : { versionName: options.versionName }),
        })
        if (!built.ok) return refuse(context, directory, built.issues)
        for (const issue of built.issues) context.output.step(printable(formatIssue(issue)))
        const file =
          options.output === undefined
            ? join(context.cwd, `${built.facts.manifest.version}.krt`)
            : out
        if (file !== out) await rename(out, file)
        context.output.result(
          { file, digest: built.digest, bytes: built.bytes, version: built.facts.manifest.version },
          `${relative(context.cwd, file) || file}: version "${built.facts.manifest.version}", ${built.bytes} bytes, sha256 ${built.digest}`,
        )
      },
    )
}

function showCommand(krt: Command, context: Context): void {
  krt
    .command('show <path>')
    .description('what a folder or a .krt file holds')
    .option('--normalized', 'the manifest in its v2 form')
    .action(async (path: string, options: { normalized?: boolean }) => {
      const checked = await (await bundles()).inspectBundle(await existing(context, path))
      if (!checked.ok) return refuse(context, path, checked.issues)
      const { manifest, methods, files } = checked.facts
      if (options.normalized) return context.output.result(manifest, toYaml(manifest).trimEnd())
      const rows = methods.map((method) => [
        method.rpc,
        method.requestType,
        method.responseType,
        method.workflow ?? '- (unused)',
      ])
      const text = [
        `${manifest.versionName} (${manifest.krtVersion}): ${manifest.description}`,
        '',
        table(['RPC', 'REQUEST', 'RESPONSE', 'WORKFLOW'], rows, 'no rpcs'),
        '',
        ...files,
      ].join('\n')
      context.output.result({ manifest, methods, files, issues: checked.issues }, text)
    })
}

async function existing(context: Context, path: string): Promise<string> {
  const full = resolve(context.cwd, path)
  if ((await stat(full).catch(() => null)) === null)
    throw new KreError('not-found', `${full}: there is no such file or folder`)
  return full
}

function refuse(context: Context, path: string, issues: readonly KrtIssue[]): never {
  if (context.output.json) context.output.result({ valid: false, issues }, '')
  throw new BundleRefused(`${path} is not a valid bundle`, issues)
}
