import type { TreeCommand, TreeOption, ValueKind } from './command-tree.ts'
import { NAMES_COMMAND } from './names-command.ts'
import { ENGINE_OPTIONS } from './shell-cases.ts'

const PROGRAMS = ['krectl', 'krectl.sh'] as const

/** Completion for fish: as `completions/krectl.fish` of its configuration folder, or sourced. */
export function writeFish(tree: readonly TreeCommand[]): string {
  const paths = tree.filter(({ path }) => path !== '').map(({ path }) => quote(path))
  return `# Completion of krectl for fish, made by "krectl completion fish".

set -g __krectl_paths ${paths.join(' ')}

function __krectl_path
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l path
    for token in $tokens
        if contains -- (string join ' ' -- $path $token) $__krectl_paths
            set -a path $token
        end
    end
    string join ' ' -- $path
end

function __krectl_at
    test (__krectl_path | string collect --allow-empty) = "$argv[1]"
end

function __krectl_names
    set -l tokens (commandline -opc)
    set -l program $tokens[1]
    set -e tokens[1]
    set -l pass
    set -l keep ''
    for token in $tokens
        if test -n "$keep"
            set -a pass $keep $token
            set keep ''
        else
            switch $token
                case -r --runtime
                    set keep --runtime
                case ${ENGINE_OPTIONS.join(' ')}
                    set keep $token
                case --insecure-http '--runtime=*' ${ENGINE_OPTIONS.map((option) => `'${option}=*'`).join(' ')}
                    set -a pass $token
            end
        end
    end
    $program ${NAMES_COMMAND} $argv[1] $pass 2>/dev/null
end

${PROGRAMS.map((program) => `complete -c ${program} -f`).join('\n')}
${tree.flatMap(linesOf).join('\n')}
`
}

function linesOf(command: TreeCommand): string[] {
  const at = `-n ${quote(`__krectl_at ${quote(command.path)}`)}`
  const words = [
    ...command.commands.map(
      ({ name, description }) => `-a ${quote(name)} -d ${quote(description)}`,
    ),
    ...[...new Set(command.values)].flatMap(valuesOf),
    ...command.options.map(optionLine),
  ]
  return words.flatMap((word) => PROGRAMS.map((program) => `complete -c ${program} ${at} ${word}`))
}

function optionLine({ flags, description, value }: TreeOption): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  )
  // -r lets files in beside the words, -x does not.
  const needs = value === 'file' ? '-r' : '-x'
  const takes = value === null ? '' : [needs, ...valuesOf(value)].join(' ')
  return [...names, takes, `-d ${quote(description)}`].filter((part) => part !== '').join(' ')
}

/** The words that offer values of a kind; none where anything may stand. */
function valuesOf(kind: ValueKind): string[] {
  if (kind === 'file') return ['-F']
  if (kind === 'folder') return ["-a '(__fish_complete_directories)'"]
  if (kind === 'none') return []
  if (kind.startsWith('words:'))
    return [`-a ${quote(kind.slice('words:'.length).replaceAll(',', ' '))}`]
  return [`-a '(__krectl_names ${kind})'`]
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
