#!/usr/bin/env bash
# The root file system of a base image, from Debian's packages: where no registry of images is within reach. It holds
# what the distroless base holds: glibc, libstdc++, certificates, time zones and Node.js; "python" adds CPython with
# pip. No shell, no package manager, nothing of the computer that it is made on but the Node.js binary.
#
#   make.sh node|python OUT NODE_BINARY     fills OUT/rootfs and lists the packages in OUT/packages.tsv; "python" takes
#                                           no Node.js, because the image copies that from the other base
#
# Exit code 69: a tool or the package lists are missing.
set -euo pipefail

kind=$1 out=$2 node=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { echo "images/base: $*" >&2; }

for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null 2>&1 || { say "$tool was not found: a base is made on Debian or its relatives"; exit 69; }
done
packages=()
for list in node "$kind"; do
  mapfile -t more < <(grep -v '^#' "$here/$list.packages")
  packages+=("${more[@]}")
done
mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)

rm -rf "$out"
mkdir -p "$out/debs" "$out/rootfs"
if ! (cd "$out/debs" && apt-get -q -o APT::Sandbox::User=root download "${packages[@]}" >apt.log 2>&1); then
  cat "$out/debs/apt.log" >&2
  say 'the packages could not be had; "apt-get update" gets their lists'
  exit 69
fi

root=$out/rootfs
mkdir -p "$root"/{etc/ssl/certs,home/nonroot,tmp,var/lib/dpkg/status.d}
for deb in "$out"/debs/*.deb; do
  dpkg-deb --extract "$deb" "$root"
  dpkg-deb --field "$deb" >"$root/var/lib/dpkg/status.d/$(dpkg-deb --field "$deb" Package)"
  # shellcheck disable=SC2016
  dpkg-deb --show --showformat '${Package}\t${Version}\t${Architecture}\n' "$deb"
done | sort >"$out/packages.tsv"
rm -rf "$out/debs"

# What needs a shell or nobody reads; licences stay.
rm -rf "$root"/usr/share/{man,info,locale,lintian,bug,doc-base,perl5,python3/*.py} "$root"/usr/sbin "$root"/sbin
rm -rf "$root"/etc/{default,profile.d,update-motd.d,skel} "$root"/usr/bin/{catchsegv,py3*,pydoc*,pygettext*,tzselect}
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root" -name __pycache__ -prune -exec rm -rf {} +
# Nobody installs into the image, so nobody has to be kept from it; pip would refuse to look.
rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED

cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/:/nologin\nnobody:x:65534:65534:nobody:/:/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
if [ "$kind" = node ]; then install -D -m 0755 "$node" "$root/nodejs/bin/node"; fi
