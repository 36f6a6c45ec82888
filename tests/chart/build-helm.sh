#!/usr/bin/env bash
# Builds Helm from its Go module, unless it is there: outside of any clone, by its version. Minutes on a machine that has
# built none of its packages. Prints the path of the program.
set -euo pipefail
# shellcheck source=../cluster/machine/go.sh
. "$(dirname -- "$0")/../cluster/machine/go.sh"
HELM=${HELM_VERSION:-3.20.2}

make_helm() {
  printf 'module kre-test-helm\ngo 1.24.0\nrequire helm.sh/helm/v3 v%s\n' "$HELM" >go.mod
  printf '//go:build tools\n\npackage tools\n\nimport _ "helm.sh/helm/v3/cmd/helm"\n' >tools.go
  echo "chart: building Helm $HELM into $bin (once)" >&2
  # Without these, Helm says that the cluster is Kubernetes 1.20 where it is not asked.
  V=helm.sh/helm/v3
  KUBE=v1.34
  LD_FLAGS="-s -w -X $V/internal/version.version=v$HELM"
  LD_FLAGS+=" -X $V/pkg/lint/rules.k8sVersionMajor=1 -X $V/pkg/lint/rules.k8sVersionMinor=${KUBE#v1.}"
  LD_FLAGS+=" -X $V/pkg/chartutil.k8sVersionMajor=1 -X $V/pkg/chartutil.k8sVersionMinor=${KUBE#v1.}"
  build_go chart "$bin/helm" helm.sh/helm/v3/cmd/helm
}

cache_of "helm-$HELM" helm
build_once chart helm make_helm
echo "$bin/helm"
