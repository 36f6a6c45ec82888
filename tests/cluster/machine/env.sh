# Settings of the test cluster, for the scripts beside it. Each can be set from outside.
# shellcheck shell=bash

# Versions that work together.
KUBE=${KUBE:-1.34.2}
ETCD_VERSION=${ETCD_VERSION:-3.6.4}
PROGRAMS=(etcd kube-apiserver kube-controller-manager kube-scheduler)
# With the name of a real node (tests/pods/machine), what that needs too.
if [ -n "${KRE_CLUSTER_NODE-}" ]; then PROGRAMS+=(kubelet kube-proxy); fi

# Data, keys, logs and pids of one cluster.
: "${KRE_CLUSTER_DIR:?set KRE_CLUSTER_DIR to the folder of the cluster}"

is_built() {
  local program
  for program in "${PROGRAMS[@]}"; do [ -x "$KRE_CLUSTER_BIN/$program" ] || return 1; done
}

# Programs: outside of any clone, by their versions, so that they are built once. A folder that nobody may write to is no
# reason to do without them: then they are beside the cluster.
if [ -z "${KRE_CLUSTER_BIN-}" ]; then
  KRE_CLUSTER_BIN=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/kre/test-cluster/kubernetes-$KUBE-etcd-$ETCD_VERSION
  if ! is_built && ! { mkdir -p "$KRE_CLUSTER_BIN" && [ -w "$KRE_CLUSTER_BIN" ]; } 2>/dev/null; then
    KRE_CLUSTER_BIN=$KRE_CLUSTER_DIR/bin
  fi
fi

# Where the API server listens: loopback, or the address of a real node, whose pods have to reach it.
ADDRESS=${KRE_CLUSTER_ADDRESS:-127.0.0.1}
# It refuses to be advertised by a loopback address; without a real node nobody connects to this one.
ADVERTISED=${KRE_CLUSTER_ADDRESS:-10.99.0.1}
SERVICE_CIDR=10.96.0.0/16

PKI=$KRE_CLUSTER_DIR/pki
mkdir -p "$KRE_CLUSTER_DIR"/{log,pid,data} "$PKI"
chmod 700 "$KRE_CLUSTER_DIR"

# is_running NAME
is_running() {
  local pid
  pid=$(cat "$KRE_CLUSTER_DIR/pid/$1" 2>/dev/null) || return 1
  # A pid alone may be another program's by now.
  [ -n "$pid" ] && [ "/proc/$pid/exe" -ef "$KRE_CLUSTER_BIN/$1" ]
}

# is_free PORT: nobody listens there on loopback
is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# is_free_soon PORT: a program that has just ended may have it for a moment
is_free_soon() {
  for _ in $(seq 20); do
    is_free "$1" && return
    sleep 0.2
  done
  return 1
}

# free_port: the first of three ports that nobody listens at, below those that systems give away by themselves
free_port() {
  local port
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 4000 * 3))
    if is_free "$port" && is_free $((port + 1)) && is_free $((port + 2)); then
      echo "$port"
      return
    fi
  done
  echo "cluster: no three free ports were found between 20000 and 32000" >&2
  return 1
}

# On loopback alone: the API server here, etcd on the two ports after it. Those of a cluster that runs stay.
PORT=${KRE_CLUSTER_PORT:-$(cat "$KRE_CLUSTER_DIR/port" 2>/dev/null || true)}
if [ -z "$PORT" ] || { [ -z "${KRE_CLUSTER_PORT-}" ] && ! is_running etcd && ! is_running kube-apiserver; }; then
  PORT=$(free_port)
fi
ETCD_PORT=$((PORT + 1))
ETCD_PEER_PORT=$((PORT + 2))
export PKI PORT ADDRESS ADVERTISED SERVICE_CIDR

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
    # One that somebody has halted does not hear the first signal.
    kill -TERM "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
      is_running "$1" || break
      sleep 0.1
    done
    is_running "$1" && kill -9 "$pid" 2>/dev/null
  fi
  rm -f "$KRE_CLUSTER_DIR/pid/$1"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; a program of ours that has ended is not waited for
wait_for() {
  local end=$((SECONDS + $1)) seconds=$1 what=$2 why
  local pid=$KRE_CLUSTER_DIR/pid/$2 log=$KRE_CLUSTER_DIR/log/$2.log
  shift 2
  until "$@" >/dev/null 2>&1; do
    why=
    if [ -e "$pid" ] && ! kill -0 "$(cat "$pid")" 2>/dev/null; then why='has ended'; fi
    if [ $SECONDS -ge $end ]; then why="is not there after $seconds s"; fi
    if [ -n "$why" ]; then
      echo "cluster: $what $why; see $KRE_CLUSTER_DIR/log" >&2
      if [ -e "$log" ]; then tail -n 15 "$log" >&2; fi
      return 1
    fi
    sleep 0.2
  done
}
