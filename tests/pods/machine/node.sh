#!/usr/bin/env bash
# Inside of the node: containerd, the kubelet, kube-proxy and CoreDNS. Ends when the cluster calls the node ready.
set -euo pipefail
here=$(cd -P -- "$(dirname -- "$0")" && pwd)
# shellcheck source=env.sh
. "$here/env.sh"
mkdir -p "$NODE"/{cni,containerd,kubelet,logs}

# daemon NAME COMMAND...: in the background and a session of its own
daemon() {
  local name=$1
  shift
  setsid "$@" >"$KRE_CLUSTER_DIR/log/$name.log" 2>&1 </dev/null &
  echo $! >"$KRE_CLUSTER_DIR/pid/$name"
}

cat >"$NODE/containerd.toml" <<TOML
version = 2
root = "$NODE/containerd"
state = "/run/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/kre-test/pause:1"
  # Scores below the present one need a right that containers seldom have.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$CNI_BIN"
    conf_dir = "$NODE/cni"
TOML
cat >"$NODE/cni/10-bridge.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": "$NODE/addresses"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
daemon containerd containerd --config "$NODE/containerd.toml"
wait_for 60 containerd ctr version
ctr --namespace k8s.io images import "$KRE_CLUSTER_BIN/pause.tar" >/dev/null

printf 'nameserver 127.0.0.1\n' >"$NODE/resolv.conf"
cat >"$NODE/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $ADDRESS
authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: $PKI/ca.crt } }
authorization: { mode: Webhook }
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
failSwapOn: false
failCgroupV1: false
oomScoreAdj: 0
clusterDomain: cluster.local
clusterDNS: [$ADDRESS]
resolvConf: $NODE/resolv.conf
podLogsDir: $NODE/logs
volumePluginDir: $NODE/kubelet/volume-plugins
# No image can be fetched again.
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: { memory.available: 100Mi, nodefs.available: '0%', nodefs.inodesFree: '0%', imagefs.available: '0%' }
syncFrequency: 10s
nodeStatusUpdateFrequency: 5s
YAML
daemon kubelet "$KRE_CLUSTER_BIN/kubelet" --config="$NODE/kubelet.yaml" --kubeconfig="$PKI/kubelet.kubeconfig" \
  --hostname-override="$KRE_CLUSTER_NODE" --node-ip="$ADDRESS" --root-dir="$NODE/kubelet" --cert-dir="$NODE/kubelet/pki"

cat >"$NODE/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: $POD_CIDR
hostnameOverride: $KRE_CLUSTER_NODE
clientConnection: { kubeconfig: $PKI/proxy.kubeconfig }
# Settings of the whole computer: left alone.
conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s, udpTimeout: 0s, udpStreamTimeout: 0s }
YAML
daemon kube-proxy "$KRE_CLUSTER_BIN/kube-proxy" --config="$NODE/proxy.yaml"

# Every other name is unknown, at once. In a block of its own: `template` would come before `kubernetes`.
cat >"$NODE/Corefile" <<CONF
cluster.local:53 in-addr.arpa:53 {
  bind $ADDRESS
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $PKI/admin.kubeconfig
    pods insecure
    ttl 1
  }
}
.:53 {
  bind $ADDRESS
  template ANY ANY {
    rcode NXDOMAIN
  }
}
CONF
daemon coredns "$COREDNS" -conf "$NODE/Corefile"

ask() {
  curl --silent --fail --max-time 5 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" \
    "https://$ADDRESS:$PORT$1"
}
is_ready() { ask "/api/v1/nodes/$KRE_CLUSTER_NODE" | tr -d ' \n' | grep -q '"type":"Ready","status":"True"'; }
wait_for 120 kubelet is_ready
