#!/usr/bin/env bash
# Ends what up.sh has started and removes what it has made: processes, mounts, cgroups, networks and files. Programs stay.
#   down.sh [--keep-logs]
set -euo pipefail
# shellcheck source=env.sh
. "$(dirname -- "$0")/env.sh"

# The first process of the namespaces ends with it, all others with that, and mounts and networks with them.
if pid=$(holder); then kill -KILL "$pid"; fi
left() {
  local group
  if [ ! -e "$KRE_CLUSTER_DIR/cgroups" ]; then return; fi
  while read -r group; do
    if [ -d "$group" ]; then find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true; fi
  done <"$KRE_CLUSTER_DIR/cgroups" | sort -u
}
for _ in $(seq 100); do
  pids=$(left)
  if [ -z "$pids" ]; then break; fi
  # shellcheck disable=SC2086
  kill -KILL $pids 2>/dev/null || true
  sleep 0.1
done
if [ -e "$KRE_CLUSTER_DIR/cgroups" ]; then
  while read -r group; do
    # Deepest first. A cgroup whose last process has just gone may be busy for a moment.
    for _ in $(seq 50); do
      if [ ! -d "$group" ]; then break; fi
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    done
    if [ -d "$group" ]; then echo "node: the cgroup $group could not be removed" >&2; fi
  done <"$KRE_CLUSTER_DIR/cgroups"
fi
if ip link show "$WIRE" >/dev/null 2>&1; then ip link delete "$WIRE" 2>/dev/null || true; fi
rm -rf "${KRE_CLUSTER_DIR:?}"/{data,pki,pid,port,up,cgroups,node,volumes}
if [ "${1-}" != --keep-logs ]; then
  rm -rf "${KRE_CLUSTER_DIR:?}/log"
  rmdir "$KRE_CLUSTER_DIR" 2>/dev/null || true
fi
