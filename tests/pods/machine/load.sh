#!/usr/bin/env bash
# Brings images of podman to the node: load.sh IMAGE:TAG...  Prints each with the digest that pods name it by.
set -euo pipefail
# shellcheck source=env.sh
. "$(dirname -- "$0")/env.sh"
file=$NODE/load-$$.tar
trap 'rm -f "$file"' EXIT
on_node() { inside ctr --namespace k8s.io images "$@"; }

# One archive: layers that images share are in it once.
# shellcheck disable=SC2086
podman ${KRE_PODMAN_FLAGS-} save --quiet --multi-image-archive --format docker-archive --output "$file" "$@" >&2
on_node import "$file" >&2
for image; do
  digest=$(on_node list "name==$image" | awk 'NR == 2 { print $3 }')
  on_node tag --force "$image" "${image%:*}@$digest" >&2
  echo "$image $digest"
done
