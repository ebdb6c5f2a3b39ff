#!/bin/bash
# Tests the health check's decisions on a simulated node: small scripts replace docker and ip, and answer from files. Needs bash
# and GNU date, and takes 2 s:
#   compose-lab/keepalived-docker/node/test-health.sh
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export WORLD=$work/world
failed=0

mkdir -p "$work/bin"
cat >"$work/bin/docker" <<'FAKE'
#!/bin/bash
# Files in WORLD: engine, and one for each container with "STATUS HEALTH SECONDS" (its age).
[ -e "$WORLD/engine" ] || exit 1
case $1 in
  info | version) echo 26.1 ;;
  inspect)
    format= missing=0
    shift
    while [[ ${1:-} == --* ]]; do
      if [ "$1" = --format ]; then format=$2; fi
      shift 2
    done
    for name in "$@"; do
      read -r status health seconds <"$WORLD/$name" || { missing=1; continue; }
      running=false
      case $status in running | paused) running=true ;; esac
      case $format in
        *State.StartedAt*) echo "$status $health $(date --utc --date "@$(($(date +%s) - seconds))" +%Y-%m-%dT%H:%M:%S.5Z)" ;;
        *State.Running*) echo "$running" ;;
        *) echo "$health" ;;
      esac
    done 2>/dev/null
    exit $missing
    ;;
esac
FAKE
printf '%s\n' '#!/bin/bash' '[ ! -e "$WORLD/vip" ] || echo "2: eth0 inet 198.18.2.100/24"' >"$work/bin/ip"
chmod +x "$work"/bin/*
sed "s#/run/keepalived-docker#$work/run#; s#/etc/keepalived-docker/settings#$work/settings#" "$here/kd-health" >"$work/kd-health"

# node MODE [NAME=VALUE]: a new node with an engine, without the VIP, and with stopped containers.
node() {
  rm -rf "$WORLD" "$work/run"
  mkdir -p "$WORLD" "$work/run"
  printf '%s\n' kd_vip=198.18.2.100 "kd_health_check=$1" kd_hold_down=600 kd_start_grace=30 "${@:2}" >"$work/settings"
  : >"$WORLD/engine"
  containers 'exited unhealthy 100' 'exited unhealthy 100'
}
# containers APP REDIS: each "STATUS HEALTH SECONDS".
containers() {
  echo "$1" >"$WORLD/app"
  echo "$2" >"$WORLD/redis"
}
gets_vip() { : >"$WORLD/vip"; }
# ago SECONDS FILE: sets the age of the file.
ago() { touch --date "@$(($(date +%s) - $1))" "$work/run/$2"; }

# expect fit|unfit WHAT: the expected result of the check.
expect() {
  local said=unfit
  if PATH="$work/bin:$PATH" bash "$work/kd-health"; then said=fit; fi
  if [ "$said" = "$1" ]; then echo "ok: $2"; else
    echo "FAILED: $2: the node is $said, expected $1"
    failed=1
  fi
}
# marked yes|no WHAT: whether the node is marked as unfit because of its containers.
marked() {
  local is=no
  if [ -e "$work/run/unfit" ]; then is=yes; fi
  if [ "$is" = "$1" ]; then echo "ok: $2"; else
    echo "FAILED: $2"
    failed=1
  fi
}

healthy='running healthy 100'

node role-aware
expect fit 'a standby needs only its engine'
rm "$WORLD/engine"
expect unfit 'a standby without an engine is unfit'

node role-aware
gets_vip
expect fit 'right after the arrival of the VIP, no container needs to run'
ago 31 vip-since
expect unfit 'but only for the grace period'
marked yes 'and then the node is marked as unfit'

node role-aware
gets_vip
containers "$healthy" "$healthy"
expect fit 'healthy containers under the VIP'
containers "$healthy" 'exited unhealthy 1'
expect unfit 'a container that stops after it ran counts at once, without a grace period'
containers "$healthy" 'paused unhealthy 100'
expect unfit 'so does a paused container'
containers "$healthy" 'running unhealthy 100'
expect unfit 'so does an unhealthy container'
containers 'running starting 3' "$healthy"
expect fit 'a container may be starting right after its start'
containers 'running starting 31' "$healthy"
expect unfit 'but only for the grace period, again'
marked yes 'and then the node is marked as unfit, again'
containers "$healthy" 'running none 5'
expect fit 'a container without a health check only needs to run'
marked no 'and the mark is removed'

node role-aware
gets_vip
containers "$healthy" "$healthy"
expect fit 'healthy containers under the VIP'
containers 'running unhealthy 100' "$healthy"
expect unfit 'the app becomes unhealthy'
rm "$WORLD/vip"
containers 'exited unhealthy 1' 'exited unhealthy 1'
expect unfit 'without the VIP the node stays unfit'
ago 600 unfit
expect fit 'until the hold-down is over'
marked no 'and then the mark is removed'

node role-aware kd_hold_down=0
gets_vip
containers "$healthy" "$healthy"
expect fit 'healthy containers under the VIP'
containers 'running unhealthy 100' "$healthy"
expect unfit 'the app becomes unhealthy'
rm "$WORLD/vip"
expect fit 'without a hold-down, the node is fit at once'

node role-aware
gets_vip
containers "$healthy" "$healthy"
expect fit 'healthy containers under the VIP'
rm "$WORLD/engine"
expect unfit 'the engine is gone'
rm "$WORLD/vip"
: >"$WORLD/engine"
expect fit 'a restarted engine needs no hold-down: it can be checked without the VIP'

node as-reported
expect unfit 'as reported, a standby whose containers are stopped is unfit'
containers "$healthy" "$healthy"
expect fit 'and one whose containers run is fit'
containers "$healthy" 'running starting 3'
expect unfit 'as reported, a starting container counts as failed'
rm "$WORLD/engine"
expect unfit 'and a node without an engine is unfit'

exit $failed
