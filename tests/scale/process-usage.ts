/** Processor time and memory of processes over a while. */
import { cpuMicros, MIB, residentBytes } from '../../bench/src/measure/processes.ts'

export type Usage = {
  /** Of one processor, over the while. */
  cpuPercent: number
  cpuMs: number
  /** At the end. */
  residentMiB: number
}

/** @returns what asks for the usage since now. */
export function meterUsage(pid: number): () => Usage {
  const cpuBefore = cpuMicros([pid])
  const began = performance.now()
  return () => {
    const cpuMs = (cpuMicros([pid]) - cpuBefore) / 1_000
    return {
      cpuMs,
      cpuPercent: (100 * cpuMs) / (performance.now() - began),
      residentMiB: residentBytes(pid) / MIB,
    }
  }
}
