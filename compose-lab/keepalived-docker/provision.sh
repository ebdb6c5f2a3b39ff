#!/bin/bash
# Makes a freshly booted VM what it is in this stack: the part that Ansible plays on real machines. Run inside the VM by
# `firedrill lab up`, every time: it looks at what is there and changes only what is not as it should be.
#
# usage: provision.sh node NAME | vantage
#
# Environment (from lab.yaml): KD_VIP, KD_WEBHOOK_URL, KD_TIMINGS, KD_PREEMPT, KD_HEALTH_CHECK.
# /firedrill/state (made by `lab up`) and /firedrill/stack (this folder) are mounted read-only.
# The last line on standard output says what was done.
set -euo pipefail

state=/firedrill/state
stack=/firedrill/stack
etc=/etc/keepalived-docker
# shellcheck source=compose-lab/images/node/provision-lib.sh
. /usr/local/lib/firedrill/provision-lib.sh

# Default for every setting of kd-setting. What a drill has changed and not undone is forgotten.
write_settings() {
  local node=$1 priority=$2
  # shellcheck disable=SC1091
  . $state/secrets.env
  rm -f $etc/changed
  place 0600 $etc/defaults <<END || true
kd_node=$node
kd_priority=$priority
kd_vip=$KD_VIP
kd_webhook_url=$KD_WEBHOOK_URL
kd_vrrp_password=${KD_VRRP_PASSWORD:0:8}
kd_timings=$KD_TIMINGS
kd_preempt=$KD_PREEMPT
kd_weight=-20
kd_health_check=$KD_HEALTH_CHECK
kd_start_check=quick
kd_hold_down=600
kd_webhook=queued
kd_notify=ok
END
}

provision_node() {
  local name=$1 priority
  case $name in
    node-1) priority=100 ;;
    node-2) priority=90 ;;
    *) echo "unknown node: $name" >&2 && return 2 ;;
  esac
  start_engine
  load_images
  commands node kd-health kd-notify kd-role kd-announce kd-setting kd-status
  units node kd-role.service kd-announce.service kd-announce.path
  if place 0644 /opt/app/docker-compose.yml <$stack/node/docker-compose.yml; then changed+=('compose file'); fi
  # The app's own user is root inside its container, the node's marks come from outside of it.
  install -d -m 0755 /opt/app/run
  rm -f /opt/app/run/unhealthy /run/keepalived-docker/unfit
  write_settings "$name" "$priority"
  kd-setting
  # Made and not started, so that a takeover makes nothing first.
  docker compose --project-directory /opt/app create --no-recreate >/dev/null 2>&1
  enable kd-role.service
  enable kd-announce.path
  enable keepalived.service
  systemctl start kd-announce.path keepalived.service
  docker image prune --force >/dev/null
  echo "$name: $(summary)"
}

provision_vantage() {
  commands vantage kd-webhook
  units vantage kd-webhook.service
  enable kd-webhook.service
  systemctl start kd-webhook.service
  systemctl is-active --quiet ssh.service
  echo "vantage: $(summary)"
}

case ${1:-} in
  node) provision_node "${2:-}" ;;
  vantage) provision_vantage ;;
  *)
    echo 'usage: provision.sh node NAME | vantage' >&2
    exit 2
    ;;
esac
