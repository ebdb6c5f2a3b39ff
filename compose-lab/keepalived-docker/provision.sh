#!/bin/bash
# Configures a booted VM for its role in this stack, as Ansible does on real machines. `firedrill lab up` runs it in the VM
# every time. It is level-triggered: it changes only what differs from the desired state.
#
# usage: provision.sh node NAME | vantage
#
# Environment (from lab.yaml): KD_VIP, KD_WEBHOOK_URL, KD_TIMINGS, KD_PREEMPT, KD_HEALTH_CHECK.
# /firedrill/state (created by `lab up`) and /firedrill/stack (this folder) are mounted read-only.
# The last line on standard output reports the changes.
set -euo pipefail

state=/firedrill/state
stack=/firedrill/stack
etc=/etc/keepalived-docker
# shellcheck source=compose-lab/images/node/provision-lib.sh
. /usr/local/lib/firedrill/provision-lib.sh

# Writes the default of every setting of kd-setting, and drops changes that a drill has not undone.
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
  # The app runs as root in its container; the node's drills write marks from outside.
  install -d -m 0755 /opt/app/run
  rm -f /opt/app/run/unhealthy /run/keepalived-docker/unfit
  write_settings "$name" "$priority"
  kd-setting
  # The containers are created but not started, so that a takeover need not create them.
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
