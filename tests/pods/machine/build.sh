#!/usr/bin/env bash
# Builds what a cluster with a real node needs, unless it is there: its programs and CoreDNS from Go modules, and the
# image of the process that holds a pod's namespaces. Minutes on a machine that has built none of their packages.
set -euo pipefail
here=$(cd -P -- "$(dirname -- "$0")" && pwd)
# shellcheck source=env.sh
. "$here/env.sh"
# shellcheck source=../../cluster/machine/go.sh
. "$here/../../cluster/machine/go.sh"
export KRE_CLUSTER_BIN
bash "$here/../../cluster/machine/build.sh"

build_coredns() {
  local out work
  out=$(dirname -- "$COREDNS") work=$(dirname -- "$COREDNS")/.build
  mkdir -p "$out"
  # Two at once: one builds, the other waits for it.
  exec 8>"$out/.lock"
  flock --timeout $((FETCH_S + BUILD_S)) 8
  if [ -x "$COREDNS" ]; then return; fi
  rm -rf "$work"
  mkdir -p "$work"
  cd "$work"
  printf 'module kre-test-coredns\ngo 1.24.0\nrequire github.com/coredns/coredns v%s\n' "$COREDNS_VERSION" >go.mod
  printf '//go:build tools\n\npackage tools\n\nimport _ "github.com/coredns/coredns"\n' >tools.go
  echo "node: building CoreDNS $COREDNS_VERSION into $out (once)" >&2
  LD_FLAGS='-s -w' build_go node "$work/coredns" github.com/coredns/coredns
  mv "$work/coredns" "$COREDNS"
  cd /
  chmod -R u+w "$work"
  rm -rf "$work"
}

build_pause() {
  local work=$KRE_CLUSTER_BIN/.pause
  rm -rf "$work"
  mkdir -p "$work"
  CGO_ENABLED=0 GOWORK=off GO111MODULE=off go build -ldflags '-s -w' -o "$work/pause" "$here/pause.go"
  printf 'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n' >"$work/Containerfile"
  # shellcheck disable=SC2086
  podman ${KRE_PODMAN_FLAGS-} build --quiet --timestamp 0 --tag localhost/kre-test/pause:1 "$work" >&2
  # shellcheck disable=SC2086
  podman ${KRE_PODMAN_FLAGS-} save --quiet --output "$work/pause.tar" localhost/kre-test/pause:1
  mv "$work/pause" "$work/pause.tar" "$KRE_CLUSTER_BIN/"
  rm -rf "$work"
}

if [ ! -x "$COREDNS" ]; then (build_coredns); fi
if [ ! -s "$KRE_CLUSTER_BIN/pause.tar" ]; then build_pause; fi
