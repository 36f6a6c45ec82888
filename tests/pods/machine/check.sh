#!/usr/bin/env bash
# Says what of a real node is missing on this computer, and ends with 69; without a word when nothing is.
set -euo pipefail
EXIT_UNAVAILABLE=69
missing() {
  echo "node: $*" >&2
  exit $EXIT_UNAVAILABLE
}

[ "$(uname -s)" = Linux ] || missing 'a real node runs on Linux alone'
[ "$(id -u)" = 0 ] || missing 'a real node makes cgroups, mounts and networks: run this as root'
[ -d /sys/fs/cgroup/memory ] && [ -d /sys/fs/cgroup/cpu ] ||
  missing 'this computer has version 2 of cgroups, or none in /sys/fs/cgroup, and the node is made for version 1'
grep -qw overlay /proc/filesystems || missing 'the kernel has no overlay file system, which images are unpacked with'
unshare --net --mount --cgroup --pid --fork true 2>/dev/null ||
  missing 'the kernel lets nobody make namespaces here (unshare --net --mount --cgroup --pid): containers in containers often may not'

# Debian's package of each program.
packages=()
while read -r program package; do
  command -v "$program" >/dev/null || packages+=("$package")
done <<'PROGRAMS'
containerd containerd
ctr containerd
runc runc
nft nftables
iptables iptables
conntrack conntrack
ip iproute2
nsenter util-linux
podman podman
openssl openssl
curl curl
PROGRAMS
[ -x "${CNI_BIN:-/usr/lib/cni}/bridge" ] || packages+=(containernetworking-plugins)
[ ${#packages[@]} = 0 ] ||
  missing "programs are missing: apt-get install --no-install-recommends $(printf '%s\n' "${packages[@]}" | sort -u | tr '\n' ' ')"
