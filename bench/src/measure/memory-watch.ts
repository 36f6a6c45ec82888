import { MIB, residentBytes } from './processes.ts'

/** Pid by what the process is: `entrypoint`, `n1`, `nats-server`. */
export type Named = Readonly<Record<string, number>>

const EVERY_MS = 100

/** MiB of each process now. */
export function memoryOf(named: Named): Record<string, number> {
  return Object.fromEntries(
    Object.entries(named).map(([name, pid]) => [name, residentBytes(pid) / MIB]),
  )
}

/** Looks all the time until it is disposed of. */
export function watchMemory(named: Named): Disposable & { peaks(): Record<string, number> } {
  let peaks = memoryOf(named)
  const timer = setInterval(() => {
    const now = memoryOf(named)
    peaks = Object.fromEntries(
      Object.entries(peaks).map(([name, peak]) => [name, Math.max(peak, now[name] ?? 0)]),
    )
  }, EVERY_MS)
  return { peaks: () => peaks, [Symbol.dispose]: () => clearInterval(timer) }
}
