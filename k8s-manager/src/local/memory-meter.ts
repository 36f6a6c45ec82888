import { readProcessGroups, readUsers, residentBytes } from './process-table.ts'

/** Looking through all processes of the computer costs more than reading known ones, so it is done each n-th time. */
const REGROUP_EVERY = 5

/** Measures processes together with their workers, which share their group. */
export function createMemoryMeter() {
  let groups = new Map<number, number[]>()
  let users = new Map<number, number[]>()
  let untilRegroup = 0
  return {
    /** @returns resident bytes by leader; a leader that can't be measured is absent. */
    measure(leaders: readonly { pid: number; uid: number | null }[]): Map<number, number> {
      if (leaders.length > 0 && untilRegroup-- <= 0) {
        groups = readProcessGroups()
        // Who has a user of its own can't leave it, as it can its group.
        users = leaders.some(({ uid }) => uid !== null) ? readUsers() : new Map()
        untilRegroup = REGROUP_EVERY - 1
      }
      const used = new Map<number, number>()
      for (const { pid, uid } of leaders) {
        const pids = (uid === null ? groups.get(pid) : users.get(uid)) ?? [pid]
        const bytes = residentBytes(pids)
        if (bytes > 0) used.set(pid, bytes)
      }
      return used
    },
  }
}
