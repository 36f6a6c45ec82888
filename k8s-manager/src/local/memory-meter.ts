import { readProcessGroups, residentBytes } from './process-table.ts'

/** Looking through all processes of the computer costs more than reading known ones, so it is done each n-th time. */
const REGROUP_EVERY = 5

/** Measures processes together with their workers, which share their group. */
export function createMemoryMeter() {
  let groups = new Map<number, number[]>()
  let untilRegroup = 0
  return {
    /** @returns resident bytes by leader; a leader that can't be measured is absent. */
    measure(leaders: readonly number[]): Map<number, number> {
      if (leaders.length > 0 && untilRegroup-- <= 0) {
        groups = readProcessGroups()
        untilRegroup = REGROUP_EVERY - 1
      }
      const used = new Map<number, number>()
      for (const leader of leaders) {
        const bytes = residentBytes(groups.get(leader) ?? [leader])
        if (bytes > 0) used.set(leader, bytes)
      }
      return used
    },
  }
}
