#!/usr/bin/env bash
# Builds the controllers of cert-manager from its Go module, unless they are there: outside of any clone, by their version
# and by what starts them. Minutes on a machine that has built none of their packages. Prints the folder of the program,
# which is beside cert-manager's own definitions.
set -euo pipefail
here=$(cd -P -- "$(dirname -- "$0")" && pwd)
# shellcheck source=../../cluster/machine/go.sh
. "$here/../../cluster/machine/go.sh"
CERT_MANAGER=${CERT_MANAGER_VERSION:-1.21.2}
MODULE=github.com/cert-manager/cert-manager

make_cert_manager() {
  # Below its path, because what starts the controllers is another module of its project, which no proxy has.
  printf 'module %s/kre-test\ngo 1.26.0\nrequire %s v%s\n' "$MODULE" "$MODULE" "$CERT_MANAGER" >go.mod
  cp "$here/main.go" .
  echo "chart: building cert-manager $CERT_MANAGER into $bin (once)" >&2
  LD_FLAGS='-s -w'
  build_go chart cert-manager .
  rm -rf "$bin/definitions"
  cp -R "$(go list -mod=mod -m -f '{{.Dir}}' "$MODULE")/deploy/crds" "$bin/definitions"
  chmod -R u+w "$bin/definitions"
  mv cert-manager "$bin/"
}

cache_of "cert-manager-$CERT_MANAGER-$(sha256sum "$here/main.go" | cut -c 1-8)" cert-manager
build_once chart cert-manager make_cert_manager
echo "$bin"
