#!/bin/sh
# Runs a command with its own view of the file system, in the mount namespace that it was started in:
#   isolate.sh STAGE CWD [hide=PATH|tmp=BYTES:PATH|ro=PATH|rw=PATH|proc=hide]... -- COMMAND...
# hide: an empty folder is there instead.  tmp: an own one in memory, of so many bytes.
# ro, rw: what is shown of what is hidden, under its own path.
# STAGE: an empty folder for the moments in between. CWD: where the command starts. Paths come sorted, what contains others first.
# The process keeps its pid to the end: every step is an exec or a child that is waited for.
set -eu
umask 022
stage=$1
cwd=$2
shift 2

mount -n -t tmpfs -o mode=700,size=64k,nosuid,nodev kre-stage "$stage"
count=0
for word in "$@"; do
  case $word in
    --) break ;;
    ro=* | rw=*) from=${word#*=} ;;
    *) continue ;;
  esac
  count=$((count + 1))
  if [ -d "$from" ]; then mkdir "$stage/$count"; else : >"$stage/$count"; fi
  mount -n --bind "$from" "$stage/$count"
done
# Reached through its folder, because its path may be hidden now.
cd "$stage"

count=0
while [ "$1" != -- ]; do
  word=$1
  shift
  path=${word#*=}
  case $word in
    hide=*)
      if [ -d "$path" ]; then mount -n -t tmpfs -o mode=755,size=64k,nosuid,nodev kre-hidden "$path"; fi
      continue
      ;;
    tmp=*)
      mkdir -p "${path#*:}"
      mount -n -t tmpfs -o "mode=1777,size=${path%%:*},nr_inodes=65536,nosuid,nodev" kre-tmp "${path#*:}"
      continue
      ;;
    proc=*)
      mount -n -t proc -o hidepid=invisible,nosuid,nodev,noexec proc /proc
      continue
      ;;
  esac
  count=$((count + 1))
  if [ -d "$count" ]; then
    mkdir -p "$path"
  else
    mkdir -p "$(dirname "$path")"
    if [ ! -e "$path" ]; then : >"$path"; fi
  fi
  mount -n --move "./$count" "$path"
  case $word in
    rw=*) ;;
    *) mount -n -o remount,bind,ro,nosuid,nodev "$path" ;;
  esac
done
shift
# The folder that the process came from is another file system: by it, all that is hidden could be reached.
cd "$cwd"
exec "$@"
