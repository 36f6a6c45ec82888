# Settings of the test cluster, for the scripts beside it. Each can be set from outside.
# shellcheck shell=bash

# Versions that work together.
KUBE=${KUBE:-1.34.2}
ETCD_VERSION=${ETCD_VERSION:-3.6.4}

# Data, keys, logs and pids of one cluster.
: "${KRE_CLUSTER_DIR:?set KRE_CLUSTER_DIR to the folder of the cluster}"
# Programs: outside of any clone, by their versions, so that they are built once.
KRE_CLUSTER_BIN=${KRE_CLUSTER_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/kre/test-cluster/kubernetes-$KUBE-etcd-$ETCD_VERSION}

# On loopback alone: the API server here, etcd on the two ports after it.
PORT=${KRE_CLUSTER_PORT:-26443}
ETCD_PORT=$((PORT + 1))
ETCD_PEER_PORT=$((PORT + 2))
# Where the API server listens: loopback, or the address of a real node, whose pods have to reach it.
ADDRESS=${KRE_CLUSTER_ADDRESS:-127.0.0.1}
# It refuses to be advertised by a loopback address; without a real node nobody connects to this one.
ADVERTISED=${KRE_CLUSTER_ADDRESS:-10.99.0.1}
SERVICE_CIDR=10.96.0.0/16

PKI=$KRE_CLUSTER_DIR/pki
export PKI PORT ADDRESS ADVERTISED SERVICE_CIDR
mkdir -p "$KRE_CLUSTER_DIR"/{log,pid,data} "$PKI"
chmod 700 "$KRE_CLUSTER_DIR"

# is_running NAME
is_running() {
  local pid
  pid=$(cat "$KRE_CLUSTER_DIR/pid/$1" 2>/dev/null) || return 1
  # A pid alone may be another program's by now.
  [ -n "$pid" ] && [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = "$KRE_CLUSTER_BIN/$1" ]
}

# start PROGRAM ARGS...: in the background and a session of its own, unless it runs
start() {
  local name=$1
  shift
  is_running "$name" && return
  setsid "$KRE_CLUSTER_BIN/$name" "$@" >"$KRE_CLUSTER_DIR/log/$name.log" 2>&1 </dev/null &
  echo $! >"$KRE_CLUSTER_DIR/pid/$name"
}

# stop PROGRAM: SIGTERM, and SIGKILL to what is still there after 10 s
stop() {
  local pid
  if is_running "$1"; then
    pid=$(cat "$KRE_CLUSTER_DIR/pid/$1")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
      is_running "$1" || break
      sleep 0.1
    done
    is_running "$1" && kill -9 "$pid" 2>/dev/null
  fi
  rm -f "$KRE_CLUSTER_DIR/pid/$1"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then
      echo "cluster: $what: not in time; see $KRE_CLUSTER_DIR/log" >&2
      return 1
    fi
    sleep 0.2
  done
}
