/** The command line against an engine of the cluster. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { root } from '../../support/kre.ts'

export type Krectl = {
  /** What it says on standard output. @throws Error with what it says on standard error, when it fails. */
  text(...words: string[]): Promise<string>
  json<T>(...words: string[]): Promise<T>
}

export function krectlAt(url: string, token: string): Krectl {
  const main = join(root, 'engine/krectl/src/main.ts')
  const run = async (...words: string[]): Promise<string> => {
    const args = ['--disable-warning=ExperimentalWarning', main, '--url', url, ...words]
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, KRE_TOKEN: token },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(child, 'close')
    const [said, problem] = await Promise.all([text(child.stdout), text(child.stderr)])
    await ended
    if (child.exitCode !== 0)
      throw new Error(`krectl ${words.join(' ')}: exit code ${child.exitCode}\n${problem}`)
    return said
  }
  return {
    text: run,
    json: async <T>(...words: string[]) => JSON.parse(await run('--json', ...words)) as T,
  }
}
