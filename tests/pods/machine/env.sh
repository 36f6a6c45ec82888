# Settings of a cluster with one real node, for the scripts beside it. Each can be set from outside.
# shellcheck shell=bash

: "${KRE_CLUSTER_DIR:?set KRE_CLUSTER_DIR to the folder of the cluster}"
COREDNS_VERSION=${COREDNS_VERSION:-1.12.4}
POD_CIDR=10.244.0.0/24
# Memory of everything on the node together, the control plane among it.
NODE_MEMORY=${KRE_NODE_MEMORY:-12G}
CNI_BIN=${CNI_BIN:-/usr/lib/cni}

# The node and this computer are the two ends of a wire; its addresses follow from the folder, so that several clusters
# can be there at once.
number=$(($(printf %s "$KRE_CLUSTER_DIR" | cksum | cut -d' ' -f1) % 16384))
wire=10.99.$((number / 64))
HOST_ADDRESS=$wire.$((number % 64 * 4 + 1))
WIRE=kre-$number

export KRE_CLUSTER_NODE=${KRE_CLUSTER_NODE:-node1}
export KRE_CLUSTER_ADDRESS=$wire.$((number % 64 * 4 + 2))
# In a network of its own every port is free.
export KRE_CLUSTER_PORT=6443
# shellcheck source=../../cluster/machine/env.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../../cluster/machine/env.sh"
COREDNS=${COREDNS:-$(dirname -- "$KRE_CLUSTER_BIN")/coredns-$COREDNS_VERSION/coredns}
NODE=$KRE_CLUSTER_DIR/node

# holder: pid of the process that holds the node's namespaces; fails where there is none
holder() {
  local pid
  pid=$(cat "$KRE_CLUSTER_DIR/pid/holder" 2>/dev/null) || return 1
  # A pid alone may be another program's by now.
  [ -n "$pid" ] && [ "/proc/$pid/exe" -ef "$(command -v unshare)" ] && echo "$pid"
}

# inside COMMAND...: in the node's namespaces and cgroups; starts in /
inside() {
  local pid
  pid=$(holder)
  # shellcheck disable=SC2016
  sh -c 'while read -r group; do echo $$ >"$group/cgroup.procs"; done <"$0"; exec "$@"' "$KRE_CLUSTER_DIR/cgroups" \
    nsenter --target "$pid" --net --mount --cgroup --pid="/proc/$pid/ns/pid_for_children" "$@"
}
