#!/usr/bin/env bash
# Runs a command on the node: in-node.sh COMMAND...
set -euo pipefail
# shellcheck source=env.sh
. "$(dirname -- "$0")/env.sh"
holder >/dev/null || { echo "node: there is none at $KRE_CLUSTER_DIR" >&2; exit 1; }
inside "$@"
