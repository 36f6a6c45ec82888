#!/usr/bin/env bash
# Ends what up.sh has started, by pid, and removes the cluster's data, keys and logs. The programs stay.
set -euo pipefail
# shellcheck source=env.sh
. "$(dirname -- "$0")/env.sh"
for name in kube-scheduler kube-controller-manager kube-apiserver etcd; do stop "$name"; done
rm -rf "${KRE_CLUSTER_DIR:?}"/{data,log,pki,pid,port}
