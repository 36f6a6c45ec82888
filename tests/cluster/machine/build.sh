#!/usr/bin/env bash
# Builds the programs of env.sh from Go modules, those that are not there.
# One wrapper module, so that they share their packages. Minutes on a machine that has built none of them.
set -euo pipefail
here=$(cd -P -- "$(dirname -- "$0")" && pwd)
# shellcheck source=env.sh
. "$here/env.sh"
# shellcheck source=go.sh
. "$here/go.sh"

is_built && exit 0
need cluster go flock timeout
mkdir -p "$KRE_CLUSTER_BIN"
# Two at once: one builds, the other waits for it.
exec 9>"$KRE_CLUSTER_BIN/.lock"
flock --timeout $((FETCH_S + BUILD_S)) 9
is_built && exit 0

work=$KRE_CLUSTER_BIN/.build
rm -rf "$work"
mkdir -p "$work/bin"
cd "$work"
# k8s.io/kubernetes requires its staging modules at v0.0.0: each needs a replacement.
STAGING=(api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap
  code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib
  dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy
  kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin
  sample-controller)
PACKAGES=()
for program in "${PROGRAMS[@]}"; do
  if [ -x "$KRE_CLUSTER_BIN/$program" ]; then continue; fi
  case $program in
    etcd) PACKAGES+=(go.etcd.io/etcd/server/v3) ;;
    *) PACKAGES+=("k8s.io/kubernetes/cmd/$program") ;;
  esac
done
{
  printf 'module kre-test-cluster\ngo 1.24.0\nrequire (\n'
  printf '  k8s.io/kubernetes v%s\n  go.etcd.io/etcd/server/v3 v%s\n)\nreplace (\n' "$KUBE" "$ETCD_VERSION"
  for module in "${STAGING[@]}"; do echo "  k8s.io/$module => k8s.io/$module v0.${KUBE#1.}"; done
  echo ')'
} >go.mod
{
  printf '//go:build tools\n\npackage tools\n\nimport (\n'
  printf '  _ "%s"\n' "${PACKAGES[@]}"
  echo ')'
} >tools.go
echo "cluster: building ${PACKAGES[*]##*/} of Kubernetes $KUBE and etcd $ETCD_VERSION into $KRE_CLUSTER_BIN (once)" >&2
# Without these, the API server says that it is v0.0.0.
V=k8s.io/component-base/version
LD_FLAGS="-s -w -X $V.gitVersion=v$KUBE -X $V.gitMajor=1 -X $V.gitMinor=$(cut -d. -f2 <<<"$KUBE")"
build_go cluster bin/ "${PACKAGES[@]}"
for name in v3 server; do if [ -e "bin/$name" ]; then mv "bin/$name" bin/etcd; fi; done
mv bin/* "$KRE_CLUSTER_BIN/"
cd /
chmod -R u+w "$work"
rm -rf "$work"
