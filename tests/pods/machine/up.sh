#!/usr/bin/env bash
# A control plane of Kubernetes with one real node: containerd, runc, kubelet, kube-proxy and CoreDNS, with a network, cgroups,
# mounts and process ids of its own. As root. What runs already is left alone. Prints the path of the kubeconfig.
set -euo pipefail
here=$(cd -P -- "$(dirname -- "$0")" && pwd)
bash "$here/check.sh"
# shellcheck source=env.sh
. "$here/env.sh"
bash "$here/build.sh"
if holder >/dev/null && [ -e "$KRE_CLUSTER_DIR/up" ]; then
  echo "$PKI/admin.kubeconfig"
  exit
fi
# What a start that failed has left.
bash "$here/down.sh"
mkdir -p "$KRE_CLUSTER_DIR"/{log,pid,data} "$PKI" "$NODE"
trap '[ -e "$KRE_CLUSTER_DIR/up" ] || bash "$here/down.sh" --keep-logs' EXIT
# With the first signal too: without it, bash would end at once and leave all behind.
trap 'exit 130' INT TERM HUP

# A cgroup below the present one in every hierarchy. The version 2 beside them is not in use.
cgroup_of() {
  awk -F: -v name="$1" '{ count = split($2, all, ","); for (i = 1; i <= count; i++) if (all[i] == name) { print $3; exit } }' \
    /proc/self/cgroup
}
for path in /sys/fs/cgroup/*/; do
  name=$(basename "$path")
  if [ "$name" = unified ]; then continue; fi
  present=$(cgroup_of "$([ "$name" = systemd ] && echo name=systemd || echo "$name")")
  group=${path%/}${present%/}/$WIRE
  mkdir -p "$group"
  # Listed at once, so that it is removed whatever comes.
  echo "$group" >>"$KRE_CLUSTER_DIR/cgroups"
  case $name in
    cpuset) for file in cpuset.cpus cpuset.mems; do cat "${group%/*}/$file" >"$group/$file"; done ;;
    memory) echo "$NODE_MEMORY" >"$group/memory.limit_in_bytes" ;;
  esac
done

# The namespaces end with their first process, and that with `unshare`.
# shellcheck disable=SC2016
setsid sh -c 'while read -r group; do echo $$ >"$group/cgroup.procs"; done <"$0"; exec "$@"' "$KRE_CLUSTER_DIR/cgroups" \
  unshare --net --mount --cgroup --pid --fork --kill-child --mount-proc --propagation private \
  bash "$here/holder.sh" "$NODE" "$KRE_CLUSTER_BIN/pause" >"$KRE_CLUSTER_DIR/log/holder.log" 2>&1 </dev/null &
echo $! >"$KRE_CLUSTER_DIR/pid/holder"
# Its end is no news for this shell.
disown
wait_for 20 holder test -e "$NODE/held"

# This kernel may have no dummy device for the node's address; a wire is everywhere, and lets this computer in.
ip link add "$WIRE" type veth peer name eth0 netns "$(holder)"
ip address add "$HOST_ADDRESS/30" dev "$WIRE"
ip link set "$WIRE" up
inside ip address add "$KRE_CLUSTER_ADDRESS/30" dev eth0
inside ip link set eth0 up
# It leads nowhere else, but programs look for one.
inside ip route add default via "$HOST_ADDRESS"

inside env KRE_CLUSTER_BIN="$KRE_CLUSTER_BIN" bash "$here/../../cluster/machine/up.sh" >/dev/null
inside env KRE_CLUSTER_BIN="$KRE_CLUSTER_BIN" bash "$here/node.sh"
touch "$KRE_CLUSTER_DIR/up"
echo "$PKI/admin.kubeconfig"
