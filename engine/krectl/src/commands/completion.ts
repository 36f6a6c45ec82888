import { Argument, type Command } from 'commander'
import { commandTree } from '../completion/command-tree.ts'
import { writeBash } from '../completion/write-bash.ts'
import { writeFish } from '../completion/write-fish.ts'
import { writeZsh } from '../completion/write-zsh.ts'
import type { Context } from '../context.ts'

const WRITERS = { bash: writeBash, zsh: writeZsh, fish: writeFish } as const
type Shell = keyof typeof WRITERS

export function completionCommand(program: Command, context: Context): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(WRITERS)))
    .description('prints what makes a shell complete commands, options and names')
    .addHelpText(
      'after',
      `
bash  source <(krectl completion bash)                 in ~/.bashrc
zsh   source <(krectl completion zsh)                  in ~/.zshrc, behind compinit
fish  krectl completion fish > ~/.config/fish/completions/krectl.fish

It completes "krectl" and "krectl.sh": put one of them on the PATH, or use an alias.`,
    )
    .action((shell: Shell) => {
      const script = WRITERS[shell](commandTree(program))
      context.output.result({ shell, script }, script.trimEnd())
    })
}
