import { shellWord } from '../ui/shell-word.ts'
import type { LogFilter } from './log-filter.ts'

/** The command that shows the same lines. Pure. */
export function logsCommand(runtimeId: string, versionName: string, filter: LogFilter): string {
  const { text, level, node, request, hours, around } = filter
  const command = `krectl version logs ${shellWord(versionName)} -r ${shellWord(runtimeId)}`
  if (around !== null) return `${command} --since 7d`
  const options = [
    `--since ${hours}h`,
    text === '' ? '' : `--search ${shellWord(text)}`,
    level === 'DEBUG' ? '' : `--level ${level}`,
    node === '' ? '' : `--node ${shellWord(node)}`,
    request === '' ? '' : `--request ${shellWord(request)}`,
    '--follow',
  ]
  return [command, ...options.filter((option) => option !== '')].join(' ')
}
