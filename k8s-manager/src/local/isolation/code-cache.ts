/**
 * Compiled code of the runner for isolated processes. None of them may write what another one runs, so it is made once
 * by a runner that has nothing to run, and shown read-only.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export type CodeCache = {
  /** What to show below `folder`, because Node looks for folders with its user's number. */
  mapTo(folder: string, uid: number | null): (readonly [from: string, path: string])[]
}

export async function warmCodeCache(
  folder: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CodeCache> {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const [file = '', ...args] = command
  const child = spawn(file, args, {
    // Without a launch file it loads everything and ends.
    env: { ...env, NODE_COMPILE_CACHE: folder },
    stdio: 'ignore',
  })
  await once(child, 'close')
  const own = `-${process.getuid?.() ?? ''}`
  const names = readdirSync(folder).filter((name) => name.endsWith(own))
  for (const name of names) {
    chmodSync(join(folder, name), 0o755)
    for (const entry of readdirSync(join(folder, name))) chmodSync(join(folder, name, entry), 0o644)
  }
  return {
    mapTo: (to, uid) =>
      names.map((name) => [
        join(folder, name),
        join(to, uid === null ? name : `${name.slice(0, -own.length)}-${uid}`),
      ]),
  }
}
