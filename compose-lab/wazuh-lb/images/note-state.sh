#!/bin/sh
# keepalived's notify script: keeps the instance's state as keepalived itself calls it (MASTER, BACKUP, FAULT, STOP) in a
# file that the node can read. keepalived calls it with: INSTANCE name STATE priority
set -eu
printf '%s\n' "$3" >/run/wazuh-lb/keepalived-state.new
mv /run/wazuh-lb/keepalived-state.new /run/wazuh-lb/keepalived-state
