import type { Command, Option } from 'commander'
import { GLOBAL_OPTIONS_GROUP } from '../global-options.ts'

const HEAD = `# Command line reference

Made from the program by \`npm run docs:cli\`. \`./krectl.sh\` is the program in a checkout; it is called \`krectl\` here.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 69 no engine to talk to, 130 interrupted. Results go to standard output, progress and errors to standard error; with \`--json\` the result is one JSON document (streams: one a line) and an error is \`{"error": {"code", "message", "details"}}\`. Lists are whole unless \`--limit\` says otherwise; \`--after\` goes on behind an item. Verbs that delete ask on a terminal; \`--yes\` answers. Durations are \`250ms\`, \`5s\`, \`10m\`, \`1h\`, \`7d\`.

Which engine: \`--data\`, \`--profile\` or \`--url\`; else \`KRE_PROFILE\`, then \`KRE_DATA\`, then the profile of \`krectl profile use\`, then the engine of this checkout. Profiles are files below \`$XDG_CONFIG_HOME/kre\` (\`~/.config/kre\`) that only their owner may read.`

/** The program as a page for people: what all commands have first, then each command. */
export function writeCliReference(program: Command): string {
  const global = program.options.filter(isGlobal)
  const blocks = [
    HEAD,
    `## Options of all commands`,
    global.map(optionItem).join('\n'),
    ...program.commands.flatMap((command) => writeCommand(command, 'krectl', '##')),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function writeCommand(command: Command, parent: string, level: string): string[] {
  const name = `${parent} ${command.name()}`
  const values = command.registeredArguments.map((value) => {
    const shown = `${value.name()}${value.variadic ? '...' : ''}`
    const choices = value.argChoices === undefined ? '' : ` (${value.argChoices.join(', ')})`
    return `${value.required ? `<${shown}>` : `[${shown}]`}${choices}`
  })
  const own = command.options.filter((option) => !isGlobal(option))
  return [
    `${level} ${name}`,
    ...(command.commands.length > 0 ? [] : [`\`${[name, ...values].join(' ')}\``]),
    sentence(command.description()),
    own.map(optionItem).join('\n'),
    ...command.commands.flatMap((child) => writeCommand(child, name, `${level}#`)),
  ]
}

function optionItem({ flags, description, mandatory, defaultValue }: Option): string {
  const needed = mandatory ? ' (has to be given)' : ''
  // Of `--no-…` the default is only that nothing was said.
  const hasDefault = typeof defaultValue === 'string' || typeof defaultValue === 'number'
  const preset = hasDefault ? ` (default: \`${defaultValue}\`)` : ''
  return `- \`${flags}\`: ${description}${needed}${preset}`
}

function isGlobal({ helpGroupHeading }: Option): boolean {
  return helpGroupHeading === GLOBAL_OPTIONS_GROUP
}

function sentence(text: string): string {
  const begun = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
  return begun.endsWith('.') ? begun : `${begun}.`
}
