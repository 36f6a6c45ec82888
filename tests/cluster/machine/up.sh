#!/usr/bin/env bash
# A real control plane of Kubernetes on loopback, without root: etcd, API server, controllers, scheduler. What runs
# already is left alone, so it also starts again what has ended. Prints the path of the kubeconfig.
set -euo pipefail
here=$(cd -P -- "$(dirname -- "$0")" && pwd)
# shellcheck source=env.sh
. "$here/env.sh"
# shellcheck source=go.sh
. "$here/go.sh"
# The scripts below take the same.
export KRE_CLUSTER_BIN KRE_CLUSTER_PORT=$PORT
echo "$PORT" >"$KRE_CLUSTER_DIR/port"
need cluster openssl curl setsid
bash "$here/build.sh"
bash "$here/pki.sh"
for one in "kube-apiserver $PORT" "etcd $ETCD_PORT" "etcd $ETCD_PEER_PORT"; do
  if is_running "${one% *}" || is_free_soon "${one#* }"; then continue; fi
  echo "cluster: port ${one#* } of 127.0.0.1 is in use, and ${one% *} needs it: set KRE_CLUSTER_PORT to another one, or leave it out" >&2
  exit 1
done
etcd_url=http://127.0.0.1:$ETCD_PORT
peer_url=http://127.0.0.1:$ETCD_PEER_PORT

# Fake machines send no heartbeats, and nobody may count them out for that.
controllers='*,-node-lifecycle-controller'
for_node=()
if [ -n "${KRE_CLUSTER_NODE-}" ]; then
  controllers='*'
  for_node=(--allow-privileged --kubelet-preferred-address-types=InternalIP --kubelet-certificate-authority="$PKI/ca.crt"
    --kubelet-client-certificate="$PKI/apiserver-kubelet.crt" --kubelet-client-key="$PKI/apiserver-kubelet.key")
fi

# Data of tests need not survive a power cut.
start etcd --data-dir "$KRE_CLUSTER_DIR/data/etcd" --unsafe-no-fsync --logger zap --log-level warn \
  --listen-client-urls "$etcd_url" --advertise-client-urls "$etcd_url" \
  --listen-peer-urls "$peer_url" --initial-advertise-peer-urls "$peer_url" --initial-cluster "default=$peer_url"

start kube-apiserver --etcd-servers="$etcd_url" --bind-address="$ADDRESS" --secure-port="$PORT" \
  --advertise-address="$ADVERTISED" --service-cluster-ip-range="$SERVICE_CIDR" --cert-dir="$KRE_CLUSTER_DIR/data" \
  --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt" \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$PKI/service-accounts.pub" \
  --service-account-signing-key-file="$PKI/service-accounts.key" --authorization-mode=Node,RBAC \
  --requestheader-client-ca-file="$PKI/ca.crt" --requestheader-allowed-names=front-proxy \
  --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
  --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --proxy-client-cert-file="$PKI/front-proxy.crt" --proxy-client-key-file="$PKI/front-proxy.key" \
  --enable-admission-plugins=NodeRestriction --profiling=false "${for_node[@]}"

ask() {
  curl --silent --fail --max-time 5 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" \
    "https://$ADDRESS:$PORT$1"
}
# Some 10 s on a machine with nothing else to do.
wait_for 240 kube-apiserver ask /readyz

start kube-controller-manager --kubeconfig="$PKI/controller-manager.kubeconfig" --secure-port=0 \
  --service-account-private-key-file="$PKI/service-accounts.key" --root-ca-file="$PKI/ca.crt" \
  --use-service-account-credentials --leader-elect=false --profiling=false \
  --controllers="$controllers"
start kube-scheduler --kubeconfig="$PKI/scheduler.kubeconfig" --secure-port=0 --leader-elect=false

# It is the controllers that make it.
wait_for 180 kube-controller-manager ask /api/v1/namespaces/default/serviceaccounts/default
echo "$PKI/admin.kubeconfig"
