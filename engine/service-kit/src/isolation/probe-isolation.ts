/** Which isolation this computer can enforce: tried out, never guessed. */
import { execFile, type ExecFileException, type ExecFileOptions } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MINUTE_MS, SECOND_MS } from '@kre/contracts'
import { isolatedCommand, type IsolationKind } from './isolated-command.ts'

export type IsolationVerdict =
  | { readonly kind: IsolationKind; readonly notEnforced: readonly string[] }
  /** `why` is for people. */
  | { readonly kind: 'none'; readonly why: string }

/** It takes some ms; a computer that has much else to do is no reason to go without isolation. */
const PROBE_TIMEOUT_MS = MINUTE_MS
/** Somebody who surely is not there. */
const PROBE_UID = 1_999_999_999

/** What even the best isolation of a laptop leaves open. */
const NEVER_ENFORCED = 'network connections of this computer'

/** @param timeoutMs of a trial. */
export async function probeIsolation(
  environment: Readonly<Record<string, string | undefined>>,
  timeoutMs = PROBE_TIMEOUT_MS,
): Promise<IsolationVerdict> {
  if (process.platform !== 'linux')
    return { kind: 'none', why: `${process.platform} has no mount namespaces` }
  if (process.getuid?.() === 0) {
    const problem = await tryOut('own-user', environment, timeoutMs)
    if (problem === null) return { kind: 'own-user', notEnforced: [NEVER_ENFORCED] }
    return { kind: 'none', why: problem }
  }
  const problem = await tryOut('user-namespace', environment, timeoutMs)
  if (problem !== null) return { kind: 'none', why: problem }
  return {
    kind: 'user-namespace',
    notEnforced: [NEVER_ENFORCED, 'signals to processes of the same user', 'number of processes'],
  }
}

/** @returns null when a process sees no hidden file and is who it shall be; otherwise what was in the way. */
async function tryOut(
  kind: IsolationKind,
  environment: Readonly<Record<string, string | undefined>>,
  timeoutMs: number,
): Promise<string | null> {
  const dir = await mkdtemp(join(tmpdir(), 'kre-isolation-'))
  try {
    const [stage, shown] = [join(dir, 'stage'), join(dir, 'shown')]
    for (const folder of [stage, shown]) await mkdir(folder)
    await chmod(shown, 0o755)
    await writeFile(join(dir, 'canary'), 'x', { mode: 0o644 })
    const view = { stage, cwd: '/', hide: [dir], readOnly: [shown], writable: [] }
    const uid = kind === 'own-user' ? PROBE_UID : null
    const check = `! test -e "$0/canary" && test -d "$0/shown" && ! touch "$0/shown/x" 2>/dev/null && id -u`
    const [file = '', ...args] = isolatedCommand(kind, view, uid, ['/bin/sh', '-c', check, dir])
    const said = await run(file, args, {
      env: { PATH: environment['PATH'] ?? '' },
      timeout: timeoutMs,
    })
    const expected = String(uid ?? process.getuid?.())
    return said.trim() === expected ? null : `a trial saw more than it should (${said.trim()})`
  } catch (error) {
    return toReason(error as ExecFileException, timeoutMs)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function run(file: string, args: readonly string[], options: ExecFileOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, [...args], { ...options, encoding: 'utf8' }, (error, stdout) => {
      if (error === null) resolve(stdout)
      else reject(error)
    })
  })
}

function toReason({ code, message, killed }: ExecFileException, timeoutMs: number): string {
  if (killed === true)
    return `a trial of mount namespaces did not end within ${timeoutMs / SECOND_MS} s`
  if (code === 'ENOENT') return 'unshare, setpriv and prlimit of util-linux are needed'
  // "Command failed: <the whole command line>", then what the tool said.
  const said = message.split('\n').filter((line) => line.trim() !== '')
  return said.slice(1).join('; ') || 'a trial of mount namespaces failed'
}
