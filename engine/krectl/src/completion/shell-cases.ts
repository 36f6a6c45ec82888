import type { TreeCommand, ValueKind } from './command-tree.ts'

/** Options that say which engine is meant: whoever asks it for names needs them. */
export const ENGINE_OPTIONS = ['--data', '--profile', '--url', '--token-file', '--ca'] as const

/**
 * A function of bash and zsh alike that sets, for a path of subcommands, `commands`, `flags`, `values`
 * (`--option=kind`) and `kinds` (of what stands behind the subcommands; `*` = may be given again).
 */
export function shellCases(tree: readonly TreeCommand[]): string {
  const rows = tree.map(({ path, commands, options, values, isVariadic }) => {
    const withValue = options.flatMap(({ flags, value }) =>
      value === null ? [] : flags.map((flag) => `${flag}=${value}`),
    )
    return [
      `    '${path}')`,
      `      commands='${commands.map(({ name }) => name).join(' ')}'`,
      `      flags='${options.flatMap(({ flags }) => flags).join(' ')}'`,
      `      values='${withValue.join(' ')}'`,
      `      kinds='${values.map((kind, index) => kindText(kind, isVariadic && index === values.length - 1)).join(' ')}'`,
      '      ;;',
    ].join('\n')
  })
  return `_krectl_spec() {\n  case "$1" in\n${rows.join('\n')}\n  esac\n}`
}

function kindText(kind: ValueKind, isRepeated: boolean): string {
  return isRepeated ? `${kind}*` : kind
}
