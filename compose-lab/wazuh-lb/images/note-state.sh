#!/bin/sh
# Keeps the instance's state as keepalived itself calls it (MASTER, BACKUP, FAULT, STOP) in a file that the node can read.
# keepalived starts this once with the path of its FIFO and writes a line for each change: INSTANCE "name" STATE priority
#
# Not as a `notify` script: those run beside each other, one for each change, and of two changes within milliseconds (a
# master that hears a better one at once) the last to write is not always the last to have happened.
set -eu
# Opened for writing too: there is no end of file when keepalived closes its end, and keepalived ends this with a SIGTERM.
exec 3<>"$1"
while read -r _ _ state _ <&3; do
  printf '%s\n' "$state" >/run/wazuh-lb/keepalived-state.new
  mv /run/wazuh-lb/keepalived-state.new /run/wazuh-lb/keepalived-state
done
