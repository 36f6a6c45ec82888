#!/bin/sh
# Keeps one nats-server alive, so that serving outlives the engine, and ends it when no engine has been there
# for the grace, so that nothing is orphaned. The engine writes a new line into HEARTBEAT every two seconds.
#
#   guard.sh NATS_SERVER CONFIG HEARTBEAT GRACE_SECONDS PID_FILE
set -u
server=$1 config=$2 heartbeat=$3 grace=$4 pid_file=$5
nats='' watcher=''

stop() {
  trap '' TERM INT HUP
  [ -n "$watcher" ] && kill "$watcher" 2>/dev/null
  [ -n "$nats" ] && kill -TERM "$nats" 2>/dev/null && wait "$nats"
  rm -f "$pid_file"
  exit 0
}
trap stop TERM INT
trap '' HUP

watch_engine() {
  trap - TERM INT
  last='' absent=0 guarded=''
  while [ "$absent" -lt "$grace" ]; do
    sleep 2
    # The guard itself was killed: its server must not go on without one.
    if ! kill -0 "$1" 2>/dev/null; then
      [ -n "$guarded" ] || guarded=$(cat "$pid_file" 2>/dev/null)
      [ -n "$guarded" ] && kill -TERM "$guarded" 2>/dev/null
      exit 0
    fi
    guarded=$(cat "$pid_file" 2>/dev/null) || guarded=''
    beat=$(cat "$heartbeat" 2>/dev/null) || beat=''
    if [ -n "$beat" ] && [ "$beat" != "$last" ]; then last=$beat absent=0; else absent=$((absent + 2)); fi
  done
  kill -TERM "$1"
}
watch_engine $$ &
watcher=$!

# nats-server holds little and allocates much: with Go's default its collector runs every 4 MiB, which is half of what
# a large message costs.
while :; do
  GOGC="${GOGC:-400}" "$server" -c "$config" &
  nats=$!
  echo "$nats" >"$pid_file"
  wait "$nats"
  sleep 0.2 # it died: a moment, so that a broken configuration does not spin
done
