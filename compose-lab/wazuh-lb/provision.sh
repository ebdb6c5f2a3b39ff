#!/bin/bash
# Configures a booted VM for its role in this stack. `firedrill lab up` runs it in the VM every time. It is level-triggered: it
# changes only what differs from the desired state.
#
# usage: provision.sh node NAME | vantage
#
# Environment (from lab.yaml and `lab up`): WAZUH_LB_VARIANT, FIREDRILL_ADDRESS.
# /firedrill/state (created by `lab up`) and /firedrill/stack (this folder) are mounted read-only.
# The last line on standard output reports the changes.
set -euo pipefail

state=/firedrill/state
stack=/firedrill/stack
home=/opt/wazuh-lb
# shellcheck source=compose-lab/images/node/provision-lib.sh
. /usr/local/lib/firedrill/provision-lib.sh

# provision_network bridged|plain
provision_network() {
  local before=${#changed[@]}
  if place 0755 /usr/local/sbin/lab-network <$stack/network/lab-network; then changed+=('network'); fi
  units network lab-network@.service
  if [ ${#changed[@]} -gt "$before" ]; then systemctl restart "lab-network@$1.service"; fi
  enable "lab-network@$1.service"
  systemctl start "lab-network@$1.service"
}

# The inner network on the VM's bridge. Its gateway is the VM itself, there is no address translation, and only the load
# balancer has an address in it.
inner_network() {
  docker network inspect lab >/dev/null 2>&1 && return
  docker network create --driver bridge --subnet 198.18.1.0/24 --gateway "$FIREDRILL_ADDRESS" \
    --opt com.docker.network.bridge.name=br-lab --opt com.docker.network.bridge.enable_ip_masquerade=false lab >/dev/null
  changed+=('network lab')
}

provision_node() {
  local name=$1 number files=no reload=()
  case $name in
    node-1) number=1 ;;
    node-2) number=2 ;;
    *) echo "unknown node: $name" >&2 && return 2 ;;
  esac
  start_engine
  provision_network bridged
  load_images
  inner_network

  install -d -m 0755 $home/run
  commands stack lb-variant
  for file in compose.yaml compose.pause.yaml compose.coupled.yaml; do
    if place 0644 $home/$file <$stack/stack/$file; then files=yes; fi
  done
  if [ $files = yes ]; then changed+=('compose files'); fi
  if [ ! -f $home/.env ]; then
    # lb-variant fills in the first two.
    printf '%s\n' LB_VARIANT= COMPOSE_FILE= "LB_NODE_NAME=$name" "LB_NODE_ADDRESS=198.18.1.11$number" \
      "LB_NODE_MAC=02:fd:01:00:01:1$number" | place 0644 $home/.env || true
    changed+=('.env')
  fi
  if cat $state/tls/lb.crt $state/tls/lb.key | place 0600 $home/tls/lb.pem; then reload+=(nginx); fi
  if place 0644 $home/nginx/nginx.conf <$stack/stack/nginx/nginx.conf; then reload+=(nginx); fi
  if place 0644 $home/keepalived/keepalived.conf <$stack/stack/keepalived/keepalived.conf; then reload+=(keepalived); fi

  units stack wazuh-lb.service
  enable wazuh-lb.service
  # Running nginx and keepalived reload their files at SIGHUP.
  for container in "${reload[@]}"; do docker kill --signal HUP "$container" >/dev/null 2>&1 || true; done
  if ((${#reload[@]})); then changed+=('configuration'); fi
  told=$(lb-variant "${WAZUH_LB_VARIANT:?}")
  if [ ${#changed[@]} -gt 0 ]; then docker image prune --force >/dev/null; fi
  echo "$name: $told, $(summary)"
}

# The machine for probes: sshd, curl, tcpdump, arping.
provision_vantage() {
  provision_network plain
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
