import type { Argument, Command, Option } from 'commander'

/**
 * What can stand in a place: names that the engine or the profiles have, files, folders, one of some words, or anything
 * (`none`).
 */
export type ValueKind = 'runtime' | 'version' | 'profile' | 'file' | 'folder' | 'none' | Words
type Words = `words:${string}`

export type TreeOption = {
  /** `-r`, `--runtime`. */
  readonly flags: readonly string[]
  readonly description: string
  /** Null for an option without a value. */
  readonly value: ValueKind | null
}
export type TreeCommand = {
  /** Subcommands that lead to it, with blanks between them; empty for krectl itself. */
  readonly path: string
  readonly description: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly TreeOption[]
  readonly values: readonly ValueKind[]
  /** Whether the last value can be given again. */
  readonly isVariadic: boolean
}

/** All commands of a program, each with what can be typed behind it. */
export function commandTree(program: Command): TreeCommand[] {
  return describe(program, '')
}

function describe(command: Command, path: string): TreeCommand[] {
  const inner = command.commands.map((child) => ({
    name: child.name(),
    description: firstPart(child.description()),
  }))
  const { registeredArguments: values } = command
  const here: TreeCommand = {
    path,
    description: firstPart(command.description()),
    commands: inner,
    options: [...command.options.map(toOption), HELP_OPTION],
    values: values.map((value) => kindOfArgument(path, value)),
    isVariadic: values.at(-1)?.variadic === true,
  }
  return [
    here,
    ...command.commands.flatMap((child) => describe(child, `${path} ${child.name()}`.trim())),
  ]
}

const HELP_OPTION: TreeOption = {
  flags: ['-h', '--help'],
  description: 'what it does, and its options',
  value: null,
}

function toOption(option: Option): TreeOption {
  const { short, long, description } = option
  const takesValue = option.required || option.optional
  return {
    flags: [short ?? [], long ?? []].flat(),
    description: firstPart(description),
    value: takesValue ? kindOfOption(option) : null,
  }
}

function kindOfOption({ long, flags, argChoices }: Option): ValueKind {
  if (argChoices !== undefined) return wordsOf(argChoices)
  if (long === '--runtime') return 'runtime'
  if (long === '--profile') return 'profile'
  if (long === '--version') return 'version'
  const [, placeholder = ''] = /[<[]([a-z-]+)/.exec(flags) ?? []
  return kindOfPlaceholder(placeholder)
}

function kindOfArgument(path: string, argument: Argument): ValueKind {
  const name = argument.name()
  if (argument.argChoices !== undefined) return wordsOf(argument.argChoices)
  if (name === 'version' || name.endsWith('-version')) return 'version'
  const [noun = '', verb = ''] = path.split(' ')
  if (noun === 'runtime' && name === 'id' && verb !== 'create') return 'runtime'
  if (noun === 'profile' && name === 'name' && verb !== 'add') return 'profile'
  // A document's path is one inside the bundle.
  if (verb === 'documents') return 'none'
  return kindOfPlaceholder(name)
}

function kindOfPlaceholder(name: string): ValueKind {
  if (name === 'file' || name === 'path') return 'file'
  return name === 'folder' || name === 'dir' ? 'folder' : 'none'
}

function wordsOf(choices: readonly string[]): Words {
  return `words:${choices.join(',')}`
}

/** Up to the first colon or semicolon: menus have little room. */
function firstPart(text: string): string {
  return text.split(/[:;](?= |$)/)[0]?.trim() ?? ''
}
