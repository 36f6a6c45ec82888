# What scripts have in common that build programs of Go modules.
# shellcheck shell=bash

# A script's way to say that something is missing here, and nothing is broken.
EXIT_UNAVAILABLE=69
# Longest fetch of modules, and longest build on a machine that has built none of their packages and is busy.
FETCH_S=${KRE_GO_FETCH_S:-600}
BUILD_S=${KRE_GO_BUILD_S:-2700}

# need WHO PROGRAM...
need() {
  local who=$1 program missing=
  shift
  for program; do command -v "$program" >/dev/null || missing+=" $program"; done
  [ -z "$missing" ] && return
  echo "$who: not on this computer, and needed:$missing" >&2
  exit $EXIT_UNAVAILABLE
}

# build_go WHO OUT PACKAGES...: in a folder with a go.mod and a file that imports the packages; LD_FLAGS goes to the linker
build_go() {
  local who=$1 out=$2 variable
  shift 2
  export CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off
  for variable in GOMODCACHE GOCACHE; do
    { mkdir -p "$(go env $variable)" && [ -w "$(go env $variable)" ]; } 2>/dev/null ||
      export "$variable=$PWD/$variable"
  done
  # Apart from the build: a proxy that is away is no fault of what is built.
  if ! timeout --kill-after=10 "$FETCH_S" go list -mod=mod -deps "$@" >/dev/null 2>fetch.log; then
    echo "$who: the Go modules can't be had within $FETCH_S s (is there a way to a module proxy?). Go says:" >&2
    tail -n 5 fetch.log >&2
    exit $EXIT_UNAVAILABLE
  fi
  timeout --kill-after=10 "$BUILD_S" go build -mod=mod -ldflags "$LD_FLAGS" -o "$out" "$@"
}

# cache_of NAME PROGRAM: sets `bin` to the folder of that name outside of any clone, or to one beside the cluster where
# nobody may write to that
cache_of() {
  bin=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/kre/test-cluster/$1
  if ! [ -x "$bin/$2" ] && ! { mkdir -p "$bin" && [ -w "$bin" ]; } 2>/dev/null; then
    bin=${KRE_CLUSTER_DIR:?set KRE_CLUSTER_DIR to the folder of the cluster}/bin
  fi
}

# build_once WHO PROGRAM FUNCTION: calls the function in an empty folder, to make the program in `bin`, unless it is there
build_once() {
  local who=$1 program=$2 make=$3 work=$bin/.build-$2
  if [ -x "$bin/$program" ]; then return; fi
  need "$who" go flock timeout
  mkdir -p "$bin"
  # Two at once: one builds, the other waits for it.
  exec 9>"$bin/.lock"
  flock --timeout $((FETCH_S + BUILD_S)) 9
  if [ -x "$bin/$program" ]; then return; fi
  rm -rf "$work"
  mkdir -p "$work"
  cd "$work"
  "$make"
  cd /
  chmod -R u+w "$work"
  rm -rf "$work"
}
