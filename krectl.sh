#!/usr/bin/env bash
# The front door of KRE: finds a Node of 24 or newer, installs what the lock file names, and hands over to
# engine/krectl. Works from any folder. `./krectl.sh --help` lists the commands.
set -euo pipefail

root=$(cd -P -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# Settings of the installation; the environment wins over the file.
if [ -f "$root/.krectl.conf" ]; then
  saved=$(export -p)
  # Every setting reaches the program, with `export` before it or without.
  set -a
  # shellcheck source=/dev/null
  . "$root/.krectl.conf"
  set +a
  eval "$saved"
fi

node_is_current() {
  command -v "$1" >/dev/null 2>&1 && "$1" -e 'process.exit(process.versions.node.split(".")[0] >= 24 ? 0 : 1)' 2>/dev/null
}

# Dependencies are those of the lock file: a change of it installs again. Not `npm ci`: it refuses a registry that
# lacks the optional packages of other platforms.
install() {
  is_installed && return
  if ! command -v npm >/dev/null 2>&1; then
    echo "krectl: npm was not found. Install Node.js (20 or newer) with npm, then try again." >&2
    exit 1
  fi
  mkdir -p "$root/.kre"
  # Two commands at once: one installs, the other waits for it (where there is flock).
  (
    if command -v flock >/dev/null 2>&1; then flock 9; fi
    is_installed && exit
    echo "Installing dependencies (once)" >&2
    # Its post-install fetches GPU libraries; the CPU ones are in the package.
    export ONNXRUNTIME_NODE_INSTALL=skip
    if ! (cd "$root" && npm install --no-save --prefer-offline --loglevel=error --no-audit --no-fund >&2); then
      echo "krectl: the dependencies could not be installed (npm install failed, see above)." >&2
      exit 1
    fi
    wanted >"$stamp"
  ) 9>"$root/.kre/install.lock"
}

stamp="$root/node_modules/.kre-installed"
wanted() { cksum <"$root/package-lock.json"; }
is_installed() { [ "$(cat "$stamp" 2>/dev/null)" = "$(wanted)" ]; }

install
export PATH="$root/node_modules/.bin:$PATH"
if ! node_is_current node; then
  echo "krectl: Node.js 24 or newer is needed; this computer has $(node --version 2>/dev/null || echo none), and the npm package \"node\" gave none. Install Node.js 24." >&2
  exit 1
fi
# Code that is compiled once is ready for the next command.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$root/.kre/cache/code}"
exec node --disable-warning=ExperimentalWarning "$root/engine/krectl/src/main.ts" "$@"
