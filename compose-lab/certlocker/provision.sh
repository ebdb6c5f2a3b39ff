#!/bin/bash
# Configures a booted VM for its role in this stack, as Ansible does on real machines. `firedrill lab up` runs it in the VM
# every time. It is level-triggered: it changes only what differs from the desired state.
#
# usage: provision.sh node NAME | lb | witness | vantage
#
# Environment (from lab.yaml): CERTLOCKER_HA_NODE1_IP, CERTLOCKER_HA_NODE2_IP, CERTLOCKER_STARTUP_PROFILE.
# /firedrill/state (created by `lab up`) and /firedrill/stack (this folder) are mounted read-only.
# The last line on standard output reports the changes.
set -euo pipefail

node1=${CERTLOCKER_HA_NODE1_IP:?} node2=${CERTLOCKER_HA_NODE2_IP:?}
state=/firedrill/state
stack=/firedrill/stack
home=/opt/certlocker/ha
# shellcheck source=compose-lab/images/node/provision-lib.sh
. /usr/local/lib/firedrill/provision-lib.sh

# Replaces ${NAME} on standard input from the environment; an unset name is an error.
fill_in() {
  local line rest name
  while IFS= read -r line || [ -n "$line" ]; do
    rest=$line
    line=
    while [[ $rest =~ \$\{([A-Za-z0-9_]+)\} && $rest != \#* ]]; do
      name=${BASH_REMATCH[1]}
      if [ -z "${!name+set}" ]; then
        echo "env.template contains \${$name}, but the variable is not set" >&2
        return 1
      fi
      line+=${rest%%"${BASH_REMATCH[0]}"*}${!name}
      rest=${rest#*"${BASH_REMATCH[0]}"}
    done
    printf '%s\n' "$line$rest"
  done
}

# Reads the secrets that `lab up` created. Shell metacharacters are added to repmgr's password: it must still work, and does
# so as long as REPMGR_USE_PASSFILE keeps it out of command lines.
read_secrets() {
  set -a
  # shellcheck disable=SC1091
  . $state/secrets.env
  CERTLOCKER_REPMGR_PASSWORD+=';&|<>'
  set +a
}

# Data are only usable with the passwords of the same state. If the volume belongs to another state, this deletes its
# containers and data, and keeps its images. The number after the slash must grow if a password is derived in another way.
forget_foreign_data() {
  local mark=/opt/.firedrill-lab-id id=$FIREDRILL_LAB_ID/2
  if [ -f "$mark" ] && [ "$(cat "$mark")" != "$id" ]; then
    systemctl stop cl-watchdog.timer cl-watchdog.service 2>/dev/null || true
    docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
    docker volume ls --quiet | xargs --no-run-if-empty docker volume rm >/dev/null
    rm -rf /opt/certlocker /var/lib/cl-watchdog
    changed+=('data of another lab removed')
  fi
  echo "$id" >"$mark"
}

# Writes .env. The watchdog later changes the role in it. So the new file is compared with the last deployed one, not with the
# present .env, and the present role is kept.
write_env() {
  local env=$home/stack/.env deployed=$home/env.deployed
  export COMPOSE_PROFILES=$1 HA_ROUTER_IP=$node1
  fill_in <$stack/stack/env.template >$deployed.new
  if [ -f $env ]; then
    if cmp -s $deployed.new $deployed; then
      rm $deployed.new
      return
    fi
    COMPOSE_PROFILES=$(sed -n 's/^COMPOSE_PROFILES=//p' $env)
    HA_ROUTER_IP=$(sed -n 's/^HA_ROUTER_IP=//p' $env)
  fi
  fill_in <$stack/stack/env.template | place 0600 $env
  mv $deployed.new $deployed
  changed+=('.env')
}

# Runs the watchdog as its unit does, without this script's variables: Compose would prefer them to those of .env, and use the
# initial role after a failover. The wait for Edge ends when Edge is ACTIVE, not after the full 20 s of a failover.
watchdog() { env -i PATH="$PATH" EDGE_WAIT_EARLY=yes cl-watchdog "$1"; }

provision_node() {
  local name=$1 profile tls=no
  export CERTLOCKER_HA_NODE_NAME=$name CERTLOCKER_HA_NODE_IP=$FIREDRILL_ADDRESS
  case $name in
    node-1) profile=ha-primary CERTLOCKER_HA_PEER_IP=$node2 ;;
    node-2) profile=ha-secondary CERTLOCKER_HA_PEER_IP=$node1 ;;
    *) echo "unknown node: $name" >&2 && return 2 ;;
  esac
  export CERTLOCKER_HA_PEER_IP
  read_secrets
  start_engine
  forget_foreign_data
  load_images

  if place 0644 $home/tls/ca.pem <$state/ca.pem; then tls=yes; fi
  if cat $state/tls/server.crt $state/tls/server.key | place 0600 $home/tls/server.pem; then tls=yes; fi
  if place 0644 $home/tls/postgres.crt <"$state/tls/postgres-$name.crt"; then tls=yes; fi
  if place 0600 $home/tls/postgres.key <"$state/tls/postgres-$name.key"; then tls=yes; fi
  if place 0644 $home/stack/docker-compose.yml <$stack/stack/docker-compose.yml; then changed+=('compose file'); fi
  write_env "$profile"

  commands stack cl-setting
  commands watchdog cl-watchdog
  units watchdog cl-watchdog.service cl-watchdog.timer

  # The services read their certificates at start. The file mounted into haproxy stays the old inode until the container
  # restarts.
  if [ $tls = yes ]; then
    changed+=('TLS')
    docker ps --quiet --filter name=certlocker-haproxy --filter name=certlocker-postgres --filter name=certlocker-pgpool |
      xargs --no-run-if-empty docker restart >/dev/null
  fi

  # In order, so not with `docker compose up`: DataService must not start before pgpool answers. The time limits of the gates
  # are those of failovers, and a first start on a slow machine may exceed them. So there is a second attempt.
  if [ ${#changed[@]} -gt 0 ]; then
    watchdog converge || watchdog converge
    docker image prune --force >/dev/null
  else
    watchdog ensure
  fi
  enable cl-watchdog.timer
  systemctl start cl-watchdog.timer
  echo "$name: $(sed -n 's/^COMPOSE_PROFILES=//p' $home/stack/.env), $(summary)"
}

provision_lb() {
  if place 0644 /etc/haproxy/lab-ca.pem <$state/ca.pem; then changed+=('CA'); fi
  if place 0644 /etc/haproxy/haproxy.cfg <$stack/lb/haproxy.cfg; then changed+=('haproxy.cfg'); fi
  haproxy -c -q -f /etc/haproxy/haproxy.cfg
  enable haproxy.service
  if [ ${#changed[@]} -gt 0 ]; then systemctl reload-or-restart haproxy.service; else systemctl start haproxy.service; fi
  systemctl is-active --quiet haproxy.service
  echo "load balancer: $(summary)"
}

provision_witness() {
  local env=$home/stack/.env
  read_secrets
  start_engine
  forget_foreign_data
  load_images
  if place 0644 $home/tls/ca.pem <$state/ca.pem; then changed+=('CA'); fi
  if place 0644 $home/tls/postgres.crt <$state/tls/postgres-witness.crt; then changed+=('certificate'); fi
  if place 0600 $home/tls/postgres.key <$state/tls/postgres-witness.key; then changed+=('key'); fi
  if place 0644 $home/stack/docker-compose.yml <$stack/stack/witness-compose.yml; then changed+=('compose file'); fi
  if printf '%s\n' "CERTLOCKER_HA_NODE_IP=$FIREDRILL_ADDRESS" "CERTLOCKER_HA_NODE1_IP=$node1" "CERTLOCKER_HA_NODE2_IP=$node2" \
    "CERTLOCKER_POSTGRES_PASSWORD='$CERTLOCKER_POSTGRES_PASSWORD'" "CERTLOCKER_REPMGR_PASSWORD='$CERTLOCKER_REPMGR_PASSWORD'" |
    place 0600 $env; then changed+=('.env'); fi
  commands witness cl-witness
  units witness cl-witness-vote.socket cl-witness-vote@.service
  enable cl-witness-vote.socket
  systemctl start cl-witness-vote.socket
  # The witness reads its certificate at start.
  if [[ " ${changed[*]} " == *' certificate '* ]]; then
    docker ps --quiet --filter name=certlocker-witness | xargs --no-run-if-empty docker restart >/dev/null
  fi
  cl-witness join >/dev/null
  echo "witness: $(summary)"
}

# The vantage machine needs no configuration: it has sshd, curl, and tcpdump.
provision_vantage() {
  systemctl is-active --quiet ssh.service
  echo "vantage: $(summary)"
}

case ${1:-} in
  node) provision_node "${2:-}" ;;
  lb) provision_lb ;;
  witness) provision_witness ;;
  vantage) provision_vantage ;;
  *)
    echo 'usage: provision.sh node NAME | lb | witness | vantage' >&2
    exit 2
    ;;
esac
