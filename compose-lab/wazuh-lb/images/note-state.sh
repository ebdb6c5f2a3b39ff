#!/bin/sh
# Writes keepalived's state of the instance (MASTER, BACKUP, FAULT, STOP) to a file that the node can read. keepalived starts
# this once with the path of its FIFO, and writes a line for each change: INSTANCE "name" STATE priority
#
# Not a `notify` script: keepalived runs one for each change, in parallel. Of two changes within milliseconds, the last one to
# write is not always the last change.
set -eu
# Also opened for writing, so that there is no end of file when keepalived closes its end. keepalived ends this with SIGTERM.
exec 3<>"$1"
while read -r _ _ state _ <&3; do
  printf '%s\n' "$state" >/run/wazuh-lb/keepalived-state.new
  mv /run/wazuh-lb/keepalived-state.new /run/wazuh-lb/keepalived-state
done
