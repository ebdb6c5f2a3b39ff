#!/bin/bash
# Tests the watchdog's decisions on a simulated node: small scripts replace docker, curl, and psql. They answer from a scenario
# and record the changes. Needs bash 5 and jq, and takes 10 s:
#   compose-lab/certlocker/watchdog/test-rules.sh
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
FAILED=0

# ---- the simulated node: its state is in files in $WORK/world -------------------------------------------------------

mkdir -p "$WORK/bin"
cat >"$WORK/bin/docker" <<'FAKE'
#!/bin/bash
world=$FAKE_WORLD
case "$*" in
  "inspect -f {{.State.Status}} certlocker-router") [[ -e $world/router-container ]] && echo running ;;
  "inspect -f {{.State.Status}} {{.State.StartedAt}}"*) cat "$world/container" ;;
  "inspect -f {{.State.Running}}"*) echo true ;;
  "rm -f certlocker-router") rm -f "$world/router-container"; echo "rm router" >>"$world/done" ;;
  compose*)
    shift 3 # compose --project-directory DIR
    echo "$*" >>"$world/done"
    ;;
  *) echo "unexpected: docker $*" >>"$world/done"; exit 1 ;;
esac
FAKE
cat >"$WORK/bin/curl" <<'FAKE'
#!/bin/bash
url=${*: -1} host=${url#http://}
if [[ $host == localhost/containers/certlocker-router/json ]]; then
  if [[ -e $FAKE_WORLD/router-container ]]; then echo 200; else echo 404; fi
  exit 0
fi
[[ $host != *:9100/* ]] || exec cat "$FAKE_WORLD/vote"
cat "$FAKE_WORLD/registry-${host%%:*}" 2>/dev/null
FAKE
cat >"$WORK/bin/psql" <<'FAKE'
#!/bin/bash
case "$*" in
  *"FROM repmgr.nodes"*) cat "$FAKE_WORLD/witness" ;;
  *pg_is_in_recovery*)
    # A database that hangs: it accepts the connection, but does not answer.
    [[ ! -e $FAKE_WORLD/db-silent ]] || exec sleep 60
    cat "$FAKE_WORLD/db"
    ;;
  *) cat "$FAKE_WORLD/select1" 2>/dev/null ;;
esac
FAKE
chmod +x "$WORK"/bin/*

# world PROFILE ROUTER_IP DB(f|t|): a new node-2 (10.0.0.2) with the peer node-1 (10.0.0.1).
world() {
  rm -rf "$WORK/world" "$WORK/stack" "$WORK/run" "$WORK/keep"
  mkdir -p "$WORK/world" "$WORK/stack" "$WORK/run" "$WORK/keep"
  printf '%s\n' "COMPOSE_PROFILES=$1" "HA_ROUTER_IP=$2" CERTLOCKER_HA_NODE_NAME=node-2 CERTLOCKER_HA_NODE_IP=10.0.0.2 \
    CERTLOCKER_HA_PEER_IP=10.0.0.1 CERTLOCKER_STARTUP_PROFILE=fast "CERTLOCKER_APP_PASSWORD='secret'" "CERTLOCKER_REPMGR_PASSWORD='a;b=c&'" >"$WORK/stack/.env"
  echo "$3" >"$WORK/world/db"
  echo 1 >"$WORK/world/select1"
  : >"$WORK/world/witness"
  echo "running 2020-01-01T00:00:00Z" >"$WORK/world/container"
  : >"$WORK/world/done"
}

# registry IP UPTIME_MS [TYPE/NODE[/STATUS[/AGE_MS]]]...: sets the answer of the Router at that address.
registry() {
  local ip=$1 uptime=$2 entry type node status age list=()
  shift 2
  for entry in "$@"; do
    IFS=/ read -r type node status age <<<"$entry"
    list+=("{\"type\":\"$type\",\"node\":\"$node\",\"status\":\"${status:-ACTIVE}\",\"ageMs\":${age:-60000}}")
  done
  echo "{\"uptimeMs\":$uptime,\"services\":[$(IFS=,; echo "${list[*]}")]}" >"$WORK/world/registry-$ip"
}
ALL_1=(DATASERVICE/node-1 GATEWAY/node-1 EDGE/node-1 BASTION/node-1)
ALL_2=(DATASERVICE/node-2 GATEWAY/node-2 EDGE/node-2 BASTION/node-2)

tick() {
  OUT=$(PATH="$WORK/bin:$PATH" FAKE_WORLD="$WORK/world" CL_STACK_DIR="$WORK/stack" CL_RUN_DIR="$WORK/run" CL_KEEP_DIR="$WORK/keep" \
    EDGE_WAIT_S=1 GATE_TIMEOUT_S=1 REPAIR_GATE_TIMEOUT_S=1 PEER_GATE_TIMEOUT_S=1 bash "$HERE/cl-watchdog" "$@" 2>&1)
  DID=$(cat "$WORK/world/done")
  : >"$WORK/world/done"
}

# ---- expectations ---------------------------------------------------------------------------------------------------

check() {
  local name=$1 haystack=$2 wanted=$3 unwanted=${4:-}
  if [[ $haystack != *"$wanted"* || (-n $unwanted && $haystack == *"$unwanted"*) ]]; then
    FAILED=$((FAILED + 1))
    printf 'FAILED: %s\n  wanted:   %s\n  unwanted: %s\n  got:\n%s\n' "$name" "$wanted" "$unwanted" "$haystack"
  else
    echo "ok: $name"
  fi
}
env_file() { cat "$WORK/stack/.env"; }

world ha-secondary 10.0.0.1 t
registry 10.0.0.1 99999 "${ALL_1[@]}" "${ALL_2[@]}"
tick
check 'a settled node gets no decision' "$OUT" 'tick=done profile=ha-secondary db=standby' 'decision='
check 'a settled node is not changed' "[$DID]" '[]'

world ha-secondary 10.0.0.1 f
registry 10.0.0.2 1 "${ALL_2[@]}"
tick
check 'rule 1 promotes' "$OUT" 'rule=1 decision=promote'
check 'rule 1 promotes: all eight steps' "$OUT" 'step=8 action=start services=ui,haproxy'
check 'rule 1 promotes: profile' "$(env_file)" 'COMPOSE_PROFILES=ha-primary'
check 'rule 1 promotes: own Router' "$(env_file)" 'HA_ROUTER_IP=10.0.0.2'
check 'rule 1 promotes: nothing pending' "[$(ls "$WORK/keep")]" '[]'
check 'no run ever pulls' "$DID" '--pull never' ' pull '

world ha-primary 10.0.0.2 t
touch "$WORK/world/router-container"
registry 10.0.0.1 99999 "${ALL_1[@]}" EDGE/node-2
tick
check 'rule 1 demotes: Router and services stop before anything starts' "$DID" $'rm router\nstop edge gateway bastion dataservice\nup'
check 'rule 1 demotes: peer is the Router' "$(env_file)" 'HA_ROUTER_IP=10.0.0.1'
check 'rule 1 demotes: waits until the primary is registered' "$OUT" 'gate=primary-registered state=ok'
check 'rule 1 demotes: starts no Router' "$DID" 'pgpool' 'router up'

world ha-primary 10.0.0.2 ''
registry 10.0.0.2 99999 "${ALL_2[@]}"
tick
check 'an unreadable database causes no decision' "$OUT" 'rule=1 decision=none reason=db-role-unreadable'
check 'an unreadable database causes no change' "[$DID]" '[]'

world ha-primary 10.0.0.2 t
registry 10.0.0.2 99999 "${ALL_2[@]}"
touch "$WORK/world/db-silent"
tick
check 'a database without an answer causes no decision' "$OUT" 'tick=done profile=ha-primary db=unknown' 'decision=demote'

world ha-secondary 10.0.0.1 f
: >"$WORK/world/select1"
tick
check 'a failed gate stops the convergence' "$OUT" 'step=2 gate=select1 state=timeout' 'step=3'
echo 1 >"$WORK/world/select1"
registry 10.0.0.2 1 "${ALL_2[@]}"
tick
check 'the next tick resumes it' "$OUT" 'converge=resume reason=rule-1-promote'
check 'and completes it' "$OUT" 'converge=done role=primary'

world ha-secondary 10.0.0.1 f
registry 10.0.0.2 1 DATASERVICE/node-2 EDGE/node-2/STARTING
tick
check 'only an Edge that is not ACTIVE is restarted' "$OUT" 'step=7 check=edge-active state=failed action=restart services=edge'

world ha-primary 10.0.0.2 f
registry 10.0.0.2 99999 "${ALL_1[@]}" DATASERVICE/node-2
tick
check 'rule 2 repairs missing services' "$OUT" 'rule=2 action=recreated services=gateway,edge,bastion'
check 'rule 2 changes no other service' "$DID" 'gateway edge bastion' 'dataservice'

world ha-primary 10.0.0.2 f
registry 10.0.0.2 99999
: >"$WORK/world/select1"
tick
check 'rule 2 does not start DataService while pgpool does not answer' "$OUT" 'rule=2 action=recreated services=gateway,edge,bastion'

world ha-primary 10.0.0.2 f
registry 10.0.0.2 99999
date -u +'running %FT%TZ' >"$WORK/world/container"
tick
check 'rule 2 waits for a container that has just started' "$OUT" 'rule=2 decision=wait missing=DATASERVICE,GATEWAY,EDGE,BASTION reason=still-starting' repair

world ha-primary 10.0.0.2 f
registry 10.0.0.2 99999 DATASERVICE/node-2 GATEWAY/node-2 BASTION/node-2 EDGE/node-2/STARTING/3000
tick
check 'rule 2 waits for a service that is STARTING' "$OUT" 'tick=done' 'rule=2'
registry 10.0.0.2 99999 DATASERVICE/node-2 GATEWAY/node-2 BASTION/node-2 EDGE/node-2/STARTING/999000
tick
check 'rule 2 repairs a service that stays STARTING' "$OUT" 'rule=2 decision=repair missing=EDGE'

world ha-primary 10.0.0.2 f
registry 10.0.0.2 1000
tick
check 'rule 2 waits after the start of a Router' "$OUT" 'reason=router-just-started' repair

world ha-secondary 10.0.0.1 t
registry 10.0.0.1 10000
tick
check 'rule 2 on a secondary waits for the primary' "$OUT" 'reason=primary-registers-first' repair
registry 10.0.0.1 25000
tick
check 'but only for a limited time' "$OUT" 'rule=2 decision=repair'

world ha-secondary 10.0.0.1 t
tick
check 'rule 3 waits for a second tick' "$OUT" 'rule=3 decision=wait reason=router-absent' promote
echo $((EPOCHSECONDS * 1000 - 10000)) >"$WORK/run/router-absent-since"
registry 10.0.0.2 1 "${ALL_2[@]}"
tick
check 'rule 3 promotes the application layer' "$OUT" 'rule=3 decision=promote-app reason=router-absent-and-none-at-peer'
tick
check 'rule 1 does not demote after rule 3' "$OUT" 'rule=1 decision=hold' demote
registry 10.0.0.1 99999 "${ALL_1[@]}"
tick
check 'until the peer has a Router' "$OUT" 'rule=1 decision=demote'

world ha-secondary 10.0.0.1 t
echo $((EPOCHSECONDS * 1000 - 10000)) >"$WORK/run/router-absent-since"
registry 10.0.0.1 99999 "${ALL_1[@]}" "${ALL_2[@]}"
tick
check 'rule 3 drops an absence that has ended' "$OUT" 'rule=3 decision=none reason=router-back' promote

# The witness 10.0.0.3 is in repmgr's records: its vote on the Router decides.
for vote in '{"sees":true}' '' '{"sees":false}'; do
  world ha-secondary 10.0.0.1 t
  echo 10.0.0.3 >"$WORK/world/witness"
  echo "$vote" >"$WORK/world/vote"
  echo $((EPOCHSECONDS * 1000 - 10000)) >"$WORK/run/router-absent-since"
  tick
  case $vote in
    *true*) check 'rule 3 holds while the witness sees the Router' "$OUT" 'rule=3 decision=hold reason=witness-sees' promote ;;
    *false*) check 'rule 3 promotes with the vote of the witness' "$OUT" 'rule=3 decision=promote-app reason=router-absent-and-none-at-peer witness=absent' ;;
    *) check 'rule 3 holds if the witness does not answer' "$OUT" 'rule=3 decision=hold reason=witness-silent' promote ;;
  esac
done

world ha-secondary 10.0.0.1 f
tick --dry-run
check 'a dry run logs the decision' "$OUT" 'rule=1 decision=promote'
check 'a dry run changes nothing' "[$DID]$(env_file)" '[]COMPOSE_PROFILES=ha-secondary'

((FAILED == 0)) || {
  echo "$FAILED failed"
  exit 1
}
