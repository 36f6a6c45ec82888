#!/usr/bin/env bash
# Process 1 of the node, in namespaces of its own: makes them what containerd and the kubelet expect, and stays. All that
# runs and is mounted on the node goes with it.
set -euo pipefail
NODE=$1 PAUSE=$2
ip link set lo up

# Its own part of each hierarchy is the whole for the node.
for path in /sys/fs/cgroup/*/; do
  name=$(basename "$path")
  case $name in
    unified) continue ;;
    systemd) options=none,name=systemd ;;
    *) options=$name ;;
  esac
  umount "$path"
  mount -t cgroup -o "$options" cgroup "$path"
done

# The kubelet sets six settings of the whole computer. Files in their places take that, with the values that it wants.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=$NODE/sysctl-$(tr / - <<<"${setting%=*}")
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done

# Paths that containerd, its network library and the kubelet have built in.
for path in /run/containerd /run/netns /var/lib/cni /var/log/containers; do
  mkdir -p "$path"
  mount -t tmpfs -o mode=755 node "$path"
done
mount --make-rshared /
touch "$NODE/held"
exec "$PAUSE"
