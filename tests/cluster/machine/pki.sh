#!/usr/bin/env bash
# One authority, and a kubeconfig with a certificate for each program. They last 30 days; `down.sh` removes them.
set -euo pipefail
# shellcheck source=env.sh
. "$(dirname -- "$0")/env.sh"
umask 077
cd "$PKI"
DAYS=30

if [ ! -s ca.crt ]; then
  openssl ecparam -genkey -name prime256v1 -noout -out ca.key
  openssl req -x509 -new -key ca.key -days "$DAYS" -subj /CN=kre-test-cluster -out ca.crt \
    -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  openssl genrsa -out service-accounts.key 2048 2>/dev/null
  openssl rsa -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null
fi

# certificate NAME SUBJECT [ALTERNATIVE NAMES]
certificate() {
  [ -s "$1.crt" ] && return
  openssl ecparam -genkey -name prime256v1 -noout -out "$1.key"
  {
    echo basicConstraints=CA:false
    echo extendedKeyUsage=clientAuth,serverAuth
    if [ -n "${3-}" ]; then echo "subjectAltName=$3"; fi
  } >"$1.ext"
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days "$DAYS" -extfile "$1.ext" \
    -out "$1.crt" 2>/dev/null
}

# kubeconfig NAME: with the certificate of that name
kubeconfig() {
  cat >"$1.kubeconfig" <<EOF
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$ADDRESS:$PORT", certificate-authority-data: "$(base64 -w0 ca.crt)"}}]
users: [{name: test, user: {client-certificate-data: "$(base64 -w0 "$1.crt")", client-key-data: "$(base64 -w0 "$1.key")"}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
EOF
}

certificate apiserver /CN=kube-apiserver \
  "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$ADVERTISED,IP:${SERVICE_CIDR%.*}.1"
# Without one, the controllers log an error every 20 s.
certificate front-proxy /CN=front-proxy
certificate admin /O=system:masters/CN=admin
certificate controller-manager /CN=system:kube-controller-manager
certificate scheduler /CN=system:kube-scheduler
for name in admin controller-manager scheduler; do kubeconfig "$name"; done
if [ -n "${KRE_CLUSTER_NODE-}" ]; then
  certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet
  certificate kubelet "/O=system:nodes/CN=system:node:$KRE_CLUSTER_NODE" "DNS:$KRE_CLUSTER_NODE,IP:$ADDRESS"
  certificate proxy /CN=system:kube-proxy
  for name in kubelet proxy; do kubeconfig "$name"; done
fi
