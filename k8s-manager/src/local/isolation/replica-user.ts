/** Users that exist for one replica each: numbers that no account of the computer has. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readUsers } from '../process-table.ts'

/** Beyond all that distributions, containers and systemd give away, within what every kernel takes. */
const FIRST_UID = 1_900_000_000
const UIDS = 90_000_000

/**
 * A user for a replica, the same for each of its processes unless a foreign process has the number.
 *
 * @param replica its folder: unique on this computer.
 * @param isTaken whether any process of the computer runs as the user.
 */
export function replicaUid(replica: string, isTaken: (uid: number) => boolean): number {
  const start = createHash('sha256').update(replica).digest().readUInt32BE(0) % UIDS
  for (let i = 0; ; i++) {
    const uid = FIRST_UID + ((start + i) % UIDS)
    if (!isTaken(uid)) return uid
  }
}

export function isReplicaUid(uid: number): boolean {
  return uid >= FIRST_UID && uid < FIRST_UID + UIDS
}

/** Whether any process runs as the user, asked of the system now. */
export function createUidCheck(): (uid: number) => boolean {
  const users = readUsers()
  return (uid) => users.has(uid)
}

/**
 * SIGKILL to all processes of a replica's user (null = it has none) at once, also those that left their group and session. In one system call, so
 * that a fork bomb can't outrun it.
 */
export async function endUser(uid: number | null): Promise<void> {
  // Never everybody of an account: a record may be damaged.
  if (uid === null || !isReplicaUid(uid)) return
  const child = spawn(
    'setpriv',
    [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '/bin/sh', '-c', 'kill -9 -1'],
    // 1: there was nobody left.
    { stdio: 'ignore' },
  )
  await once(child, 'close')
}
