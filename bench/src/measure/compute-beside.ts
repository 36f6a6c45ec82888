/** A process that has nothing to do with KRE, and computes: what any neighbour costs, on processors that are shared. */
import { spawn } from 'node:child_process'

/** Often enough that each of its bursts is as short as those of an engine that stores lines. */
const EVERY_MS = 50

/** @param share of one processor. The process ends with what it is used for, or after `seconds` at the latest. */
export function computeBeside(share: number, seconds: number): Disposable {
  const program = `const end = performance.now() + ${seconds * 1_000}
    setInterval(() => {
      const until = performance.now() + ${share * EVERY_MS}
      while (performance.now() < until);
      if (until > end) process.exit()
    }, ${EVERY_MS})`
  const child = spawn(process.execPath, ['-e', program], { stdio: 'ignore' })
  return {
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}
