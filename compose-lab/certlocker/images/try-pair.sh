#!/usr/bin/env bash
# Tests the two database images as a pair, without the rest of the lab: two PostgreSQL
# nodes and two pgpools on a temporary network. It crashes the nodes in turn, and prints
# the duration of each step. Exit code 1: a step did not happen in time.
#
#   try-pair.sh [up] [rounds] [kill] [standby] [frozen] [both] [gap] [stale] [tls] [interrupted] [down]
#
# Without arguments, all steps run in this order, and the pair is removed even if a step
# fails. Needs Docker and the two images. Changes only containers, volumes, and a network
# named fdpg-*.
set -euo pipefail

PREFIX=fdpg
NET=198.18.7
PG_IMAGE=${PG_IMAGE:-firedrill-lab/certlocker-postgresql-repmgr:1}
POOL_IMAGE=${POOL_IMAGE:-firedrill-lab/certlocker-pgpool:1}
ROUNDS=${ROUNDS:-3}
USE_PASSFILE=${USE_PASSFILE:-true}
USE_PGREWIND=${USE_PGREWIND:-yes}
# Deliberately contains metacharacters of shell, SQL, pgpass, and connection strings.
# shellcheck disable=SC2016 # not to be expanded
REPMGR_PASSWORD=${REPMGR_PASSWORD:-'r$(e)p;m&g|r"`\:#x'\'}
# shellcheck disable=SC2016
APP_PASSWORD=${APP_PASSWORD:-'a$p;p'\''\:&"x'}
TLS=$PREFIX-tls # volume with CA and certificate

now_ms() { date +%s%3N; }
say() { printf '%s  %s\n' "$(date +%H:%M:%S.%3N)" "$*"; }
fail() {
    say "FAILED: $*" >&2 # stdout may be in a command substitution
    exit 1
}

ip() { echo "$NET.1$1"; }        # PostgreSQL of node 1 or 2
pool_ip() { echo "$NET.2$1"; }

# SQL to HOST as USER over TLS, from the probe container. q HOST USER DB SQL
q() {
    local password=$APP_PASSWORD
    [[ $2 != repmgr ]] || password=$REPMGR_PASSWORD
    docker exec -e PGPASSWORD="$password" -e PGCONNECT_TIMEOUT="${PATIENCE:-3}" "$PREFIX-probe" \
        timeout "$((${PATIENCE:-3} + 1))" psql -XAtwq -d "host=$1 user=$2 dbname=$3 sslmode=require" -c "$4" 2>&1
}
app() { q "$1" app app "$2"; }
is_primary() { [[ "$(app "$(ip "$1")" 'SELECT pg_is_in_recovery()')" == f ]]; }
is_standby() { [[ "$(app "$(ip "$1")" 'SELECT pg_is_in_recovery()')" == t ]]; }
# Selects by name, because a running clone also streams WAL.
streaming_from() { [[ "$(q "$(ip "$1")" repmgr repmgr "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'node-%'")" == 1 ]]; }
# Whether a write through a pgpool arrives at the given node.
pool_writes_to() { [[ "$(app "$(pool_ip "$1")" "INSERT INTO ticks(via) VALUES ('pool-$1') RETURNING host(inet_server_addr())" | head -1)" == "$(ip "$2")" ]]; }
pool_sees_both() { [[ "$(app "$(pool_ip "$1")" 'SHOW pool_nodes' | cut -d'|' -f4 | sort -u)" == up ]]; }
started_at_ms() { date -d "$(docker inspect -f '{{.State.StartedAt}}' "$1")" +%s%3N; }
restarted_since() { [[ "$(docker inspect -f '{{.State.Running}}' "$1")" == true ]] && (($(started_at_ms "$1") > $2)); }

# await SECONDS LABEL T0_MS CMD...: polls until CMD holds, prints the delay from T0.
await() {
    local limit=$1 label=$2 t0=$3
    shift 3
    local end=$(($(now_ms) + limit * 1000))
    until "$@"; do
        if (($(now_ms) > end)); then
            say "NOT within $limit s: $label"
            return 1
        fi
        sleep 0.05
    done
    printf '%s    %-46s %6d ms\n' "$(date +%H:%M:%S.%3N)" "$label" "$(($(now_ms) - t0))"
}

# all_of PIDS...: waits for background `await`s, and fails if one has failed.
all_of() {
    local pid bad=0
    for pid in "$@"; do wait "$pid" || bad=1; done
    ((bad == 0)) || fail "a step did not happen"
}

down() {
    docker rm -f "$PREFIX-1" "$PREFIX-2" "$PREFIX-pool-1" "$PREFIX-pool-2" "$PREFIX-probe" >/dev/null 2>&1 || true
    docker volume rm "$PREFIX-1" "$PREFIX-2" "$TLS" >/dev/null 2>&1 || true
    docker network rm "$PREFIX" >/dev/null 2>&1 || true
}

run_node() {
    docker run -d --name "$PREFIX-$1" --network "$PREFIX" --ip "$(ip "$1")" --init --restart always \
        -v "$PREFIX-$1:/bitnami/postgresql" -v "$TLS:/tls:ro" \
        -e POSTGRESQL_USERNAME=app -e POSTGRESQL_PASSWORD="$APP_PASSWORD" -e POSTGRESQL_DATABASE=app \
        -e POSTGRESQL_POSTGRES_PASSWORD="$APP_PASSWORD" \
        -e POSTGRESQL_ENABLE_TLS=yes -e POSTGRESQL_TLS_CERT_FILE=/tls/postgres.crt \
        -e POSTGRESQL_TLS_KEY_FILE=/tls/postgres.key -e POSTGRESQL_TLS_CA_FILE=/tls/ca.pem \
        -e REPMGR_NODE_NAME="node-$1" -e REPMGR_NODE_NETWORK_NAME="$(ip "$1")" \
        -e REPMGR_PARTNER_NODES="$(ip 1),$(ip 2)" -e REPMGR_PRIMARY_HOST="$(ip 1)" \
        -e REPMGR_PASSWORD="$REPMGR_PASSWORD" -e REPMGR_USE_PASSFILE="$USE_PASSFILE" \
        -e REPMGR_USE_PGREWIND="$USE_PGREWIND" -e REPMGR_LOG_LEVEL=INFO \
        "$PG_IMAGE" >/dev/null
}

# tcp_syn_retries 1: a pgpool session connects to both backends. Without this setting,
# it would try for 2 min if an address is gone; with it, for 3 s.
run_pool() {
    docker run -d --name "$PREFIX-pool-$1" --network "$PREFIX" --ip "$(pool_ip "$1")" --init --restart always \
        --sysctl net.ipv4.tcp_syn_retries=1 -v "$TLS:/tls:ro" \
        -e PGPOOL_BACKEND_NODES="0:$(ip 1):5432,1:$(ip 2):5432" -e PGPOOL_BACKEND_APPLICATION_NAMES=node-1,node-2 \
        -e PGPOOL_ENABLE_LOAD_BALANCING=no -e PGPOOL_AUTO_FAILBACK=yes -e PGPOOL_FAILOVER_ON_BACKEND_SHUTDOWN=off \
        -e PGPOOL_SR_CHECK_USER=repmgr -e PGPOOL_SR_CHECK_PASSWORD="$REPMGR_PASSWORD" -e PGPOOL_SR_CHECK_PERIOD=2 \
        -e PGPOOL_HEALTH_CHECK_PERIOD=2 -e PGPOOL_HEALTH_CHECK_TIMEOUT=3 \
        -e PGPOOL_HEALTH_CHECK_MAX_RETRIES=2 -e PGPOOL_HEALTH_CHECK_RETRY_DELAY=1 -e PGPOOL_CONNECT_TIMEOUT=1000 \
        -e PGPOOL_POSTGRES_USERNAME=postgres -e PGPOOL_POSTGRES_PASSWORD="$APP_PASSWORD" \
        -e PGPOOL_USERNAME=app -e PGPOOL_PASSWORD="$APP_PASSWORD" \
        -e PGPOOL_ADMIN_USERNAME=admin -e PGPOOL_ADMIN_PASSWORD=admin \
        -e PGPOOL_NUM_INIT_CHILDREN=16 -e PGPOOL_MAX_POOL=2 \
        -e PGPOOL_ENABLE_TLS=yes -e PGPOOL_TLS_CERT_FILE=/tls/postgres.crt \
        -e PGPOOL_TLS_KEY_FILE=/tls/postgres.key -e PGPOOL_TLS_CA_FILE=/tls/ca.pem \
        "$POOL_IMAGE" >/dev/null
}

# Starts the probe container, and creates a CA and one certificate for all servers.
make_tls() {
    docker run -d --name "$PREFIX-probe" --network "$PREFIX" --init -v "$TLS:/tls" --entrypoint sleep "$PG_IMAGE" infinity >/dev/null
    docker exec "$PREFIX-probe" bash -euc "cd /tls
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/CN=$PREFIX CA' 2>/dev/null
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout postgres.key -out postgres.csr -subj '/CN=postgres' 2>/dev/null
        openssl x509 -req -in postgres.csr -CA ca.pem -CAkey ca.key -out postgres.crt -days 30 2>/dev/null
        chmod 600 postgres.key"
}

up() {
    down
    docker network create --subnet "$NET.0/24" "$PREFIX" >/dev/null
    make_tls
    local t0
    t0=$(now_ms)
    say "up: both nodes and both pgpools at the same time"
    run_node 1
    run_node 2
    run_pool 1
    run_pool 2
    await 60 "node 1 is primary" "$t0" is_primary 1
    await 90 "node 2 streams from it" "$t0" streaming_from 1
    app "$(ip 1)" 'CREATE TABLE IF NOT EXISTS ticks(id bigserial, at timestamptz DEFAULT clock_timestamp(), via text)' >/dev/null
    await 60 "pgpool 1 writes to node 1" "$t0" pool_writes_to 1 1
    await 60 "pgpool 2 writes to node 1" "$t0" pool_writes_to 2 1
    await 60 "pgpool 1 sees both nodes up" "$t0" pool_sees_both 1
    await 60 "pgpool 2 sees both nodes up" "$t0" pool_sees_both 2
}

current_primary() {
    if is_primary 1; then echo 1; elif is_primary 2; then echo 2; else fail "no primary"; fi
}

# Expects after a primary's crash: promotion, both pgpools on the new primary, the old
# one back as its standby, and all backends attached again.
watch_failover() {
    local t0=$1 old=$2 new=$3
    local -a jobs=()
    await 60 "node $new promoted" "$t0" is_primary "$new" & jobs+=($!)
    await 60 "pgpool 1 writes to node $new" "$t0" pool_writes_to 1 "$new" & jobs+=($!)
    await 60 "pgpool 2 writes to node $new" "$t0" pool_writes_to 2 "$new" & jobs+=($!)
    await 60 "container of node $old started again" "$t0" restarted_since "$PREFIX-$old" "$t0" & jobs+=($!)
    await 90 "node $old streams from node $new" "$t0" streaming_from "$new" & jobs+=($!)
    all_of "${jobs[@]}"
    is_standby "$old" || fail "node $old is not a standby"
    await 60 "pgpool 1 sees both nodes up" "$t0" pool_sees_both 1
    await 60 "pgpool 2 sees both nodes up" "$t0" pool_sees_both 2
}

rounds() {
    local round old new t0
    for ((round = 1; round <= ROUNDS; round++)); do
        old=$(current_primary)
        new=$((3 - old))
        say "round $round of $ROUNDS: pkill -9 postgres on the primary, node $old"
        t0=$(now_ms)
        docker exec "$PREFIX-$old" pkill -9 postgres
        watch_failover "$t0" "$old" "$new"
    done
}

# After `docker kill`, no restart policy applies. So this starts the container after the
# partner's promotion.
kill_container() {
    local old new t0
    old=$(current_primary)
    new=$((3 - old))
    say "docker kill of the primary's container, node $old; docker start after the promotion"
    t0=$(now_ms)
    docker kill "$PREFIX-$old" >/dev/null
    await 60 "node $new promoted" "$t0" is_primary "$new"
    docker start "$PREFIX-$old" >/dev/null
    watch_failover "$t0" "$old" "$new"

    old=$(current_primary)
    new=$((3 - old))
    say "docker kill and start at once of the primary, node $old: no promotion"
    t0=$(now_ms)
    docker kill "$PREFIX-$old" >/dev/null
    docker start "$PREFIX-$old" >/dev/null
    await 30 "node $old is primary again" "$t0" is_primary "$old"
    await 60 "pgpool 1 writes to node $old" "$t0" pool_writes_to 1 "$old"
    await 60 "pgpool 2 writes to node $old" "$t0" pool_writes_to 2 "$old"
    await 60 "node $new streams from node $old" "$t0" streaming_from "$old"
    is_standby "$new" || fail "node $new was promoted"

    say "docker restart of the primary, node $old: no promotion"
    t0=$(now_ms)
    docker restart "$PREFIX-$old" >/dev/null
    await 30 "node $old is primary again" "$t0" is_primary "$old"
    await 60 "pgpool 1 writes to node $old" "$t0" pool_writes_to 1 "$old"
    await 60 "pgpool 2 writes to node $old" "$t0" pool_writes_to 2 "$old"
    await 60 "node $new streams from node $old" "$t0" streaming_from "$old"
    is_standby "$new" || fail "node $new was promoted"
}

# A stop of the standby must not interrupt clients: neither new connections nor an open
# session. A new connection may take 3 s longer until pgpool has marked the standby down,
# because its address is also gone (see run_pool).
standby_stop() {
    local primary standby t0 t1 bad=0 total=0 longest=0 session
    primary=$(current_primary)
    standby=$((3 - primary))
    say "docker stop of the standby, node $standby"
    docker exec -e PGPASSWORD="$APP_PASSWORD" "$PREFIX-probe" bash -c \
        "for i in \$(seq 24); do echo 'SELECT 1;'; sleep 0.5; done | psql -XAtwq -v ON_ERROR_STOP=1 -d 'host=$(pool_ip 1) user=app dbname=app'" >/dev/null 2>&1 &
    session=$!
    t0=$(now_ms)
    docker stop "$PREFIX-$standby" >/dev/null
    printf '%s    %-46s %6d ms\n' "$(date +%H:%M:%S.%3N)" "clean stop took" "$(($(now_ms) - t0))"
    while (($(now_ms) - t0 < 12000)); do
        total=$((total + 1))
        t1=$(now_ms)
        PATIENCE=10 pool_writes_to 1 "$primary" || bad=$((bad + 1))
        t1=$(($(now_ms) - t1))
        ((t1 <= longest)) || longest=$t1
        sleep 0.1
    done
    say "    new connections through pgpool 1: $bad bad of $total, the slowest took $longest ms"
    if wait "$session"; then say "    open session: undisturbed"; else say "    open session: cut"; fi
    t0=$(now_ms)
    docker start "$PREFIX-$standby" >/dev/null
    await 60 "node $standby streams again" "$t0" streaming_from "$primary"
    await 60 "pgpool 1 sees both nodes up" "$t0" pool_sees_both 1
    await 60 "pgpool 2 sees both nodes up" "$t0" pool_sees_both 2
    ((bad == 0)) || fail "the standby's stop interrupted clients of pgpool"
}

# Cuts the power of both nodes and restores it: each node has its old role again.
both() {
    local primary standby t0
    primary=$(current_primary)
    standby=$((3 - primary))
    say "docker kill of both nodes, then start of both, the standby (node $standby) first"
    docker kill "$PREFIX-1" "$PREFIX-2" >/dev/null
    t0=$(now_ms)
    docker start "$PREFIX-$standby" >/dev/null
    sleep 3
    docker start "$PREFIX-$primary" >/dev/null
    await 60 "node $primary is primary again" "$t0" is_primary "$primary"
    await 60 "node $standby streams from node $primary" "$t0" streaming_from "$primary"
    await 60 "pgpool 1 writes to node $primary" "$t0" pool_writes_to 1 "$primary"
    await 60 "pgpool 2 writes to node $primary" "$t0" pool_writes_to 2 "$primary"
    await 60 "pgpool 1 sees both nodes up" "$t0" pool_sees_both 1
    await 60 "pgpool 2 sees both nodes up" "$t0" pool_sees_both 2
}

# With the standby's repmgrd stopped, no node is promoted, and the old primary comes back
# as primary.
frozen_repmgrd() {
    local old new t0
    old=$(current_primary)
    new=$((3 - old))
    say "SIGSTOP of repmgrd on the standby, node $new; then pkill -9 postgres on node $old"
    docker exec "$PREFIX-$new" pkill -STOP repmgrd
    t0=$(now_ms)
    docker exec "$PREFIX-$old" pkill -9 postgres
    await 60 "container of node $old started again" "$t0" restarted_since "$PREFIX-$old" "$t0"
    await 60 "node $old is primary again" "$t0" is_primary "$old"
    await 60 "pgpool 1 writes to node $old" "$t0" pool_writes_to 1 "$old"
    await 60 "pgpool 2 writes to node $old" "$t0" pool_writes_to 2 "$old"
    await 60 "node $new streams from node $old" "$t0" streaming_from "$old"
    is_standby "$new" || fail "node $new was promoted with its repmgrd stopped"
    docker exec "$PREFIX-$new" pkill -CONT repmgrd
    await 60 "pgpool 1 sees both nodes up" "$t0" pool_sees_both 1
    await 60 "pgpool 2 sees both nodes up" "$t0" pool_sees_both 2
}

# Without a pipe to grep -q: with pipefail, its early exit would count as a failure.
logged() { [[ "$(docker logs "$1" 2>&1)" == *"$2"* ]]; }

# Stops a program (SIGSTOP) as soon as it runs, so that the next step interrupts it.
freeze() {
    docker exec "$1" timeout 30 bash -c "until pkill -STOP -x $2; do sleep 0.02; done" || fail "$2 was not seen in $1"
}

# Kills a standby without data during its clone, and the first node of a new pair during
# its initdb. The next start must begin again.
interrupted() {
    local primary standby t0
    primary=$(current_primary)
    standby=$((3 - primary))
    say "node $standby without data, killed while it clones"
    docker exec -u postgres "$PREFIX-$primary" psql -Xqc "CREATE TABLE IF NOT EXISTS bulk AS SELECT n, repeat(md5(n::text), 8) AS text FROM generate_series(1, 300000) n" ||
        fail "could not create a table that takes time to copy"
    docker rm -f "$PREFIX-$standby" >/dev/null
    docker volume rm "$PREFIX-$standby" >/dev/null
    run_node "$standby"
    freeze "$PREFIX-$standby" pg_basebackup
    docker kill "$PREFIX-$standby" >/dev/null
    t0=$(now_ms)
    docker start "$PREFIX-$standby" >/dev/null
    await 90 "node $standby streams from node $primary" "$t0" streaming_from "$primary"
    logged "$PREFIX-$standby" 'was interrupted during: clone' || fail "the interrupted clone was not noticed"

    say "a new pair whose first node is killed while it initialises"
    down
    docker network create --subnet "$NET.0/24" "$PREFIX" >/dev/null
    make_tls
    run_node 1
    freeze "$PREFIX-1" initdb
    docker kill "$PREFIX-1" >/dev/null
    t0=$(now_ms)
    run_node 2
    docker start "$PREFIX-1" >/dev/null
    await 60 "node 1 is primary" "$t0" is_primary 1
    await 60 "node 2 streams from it" "$t0" streaming_from 1
    logged "$PREFIX-1" 'was interrupted during: init' || fail "the interrupted initdb was not noticed"
}

# Shows the answers to clients of pgpool 1 between the primary's crash and the promotion.
# Every 250 ms there is a new connection (timeout 30 s), and a query in one open session.
# An answer from a standby is a failure.
gap() {
    local old new t0
    old=$(current_primary)
    new=$((3 - old))
    say "reads through pgpool 1 while node $old dies and node $new is promoted"
    docker exec "$PREFIX-probe" rm -f /tmp/new /tmp/open
    docker exec -d -e PGPASSWORD="$APP_PASSWORD" "$PREFIX-probe" bash -c '
        ask="SELECT host(inet_server_addr()), pg_is_in_recovery()"
        dsn="host='"$(pool_ip 1)"' user=app dbname=app"
        for i in $(seq 100); do
            (
                s=$(date +%s%3N)
                a=$(timeout 30 psql -XAtwq -d "$dsn" -c "$ask" 2>&1 | tr "\n" " ")
                echo "$s $(($(date +%s%3N) - s)) ${a:-nothing}" >>/tmp/new
            ) &
            sleep 0.25
        done
        wait'
    docker exec -d -e PGPASSWORD="$APP_PASSWORD" "$PREFIX-probe" bash -c '
        for i in $(seq 100); do echo "SELECT host(inet_server_addr()), pg_is_in_recovery();"; sleep 0.25; done |
            psql -XAtwq -v ON_ERROR_STOP=1 -d "host='"$(pool_ip 1)"' user=app dbname=app" 2>&1 |
            while read -r line; do echo "$(date +%s%3N) 0 $line"; done >/tmp/open'
    sleep 2
    t0=$(now_ms)
    docker exec "$PREFIX-$old" pkill -9 postgres
    await 60 "node $new promoted" "$t0" is_primary "$new"
    sleep 20
    local file
    for file in new open; do
        say "    $file: ms after the crash (first..last, count), ms until answered (longest), answer"
        docker exec "$PREFIX-probe" sort -n "/tmp/$file" | awk -v t0="$t0" '
            function flush() { if (n) printf "      %6d..%6d %4d  %6d  %s\n", first, last, n, longest, text }
            { s = $1 - t0; d = $2; $1 = $2 = ""; sub(/^ +/, "")
              # One line per run of equal answers; answers after more than 1 s form a separate run.
              if ($0 != text || (d > 1000) != slow) { flush(); n = 0; first = s; longest = 0; text = $0; slow = d > 1000 }
              last = s; n++; if (d > longest) longest = d }
            END { flush() }'
        if docker exec "$PREFIX-probe" grep -q '|t' "/tmp/$file"; then fail "a read was answered by a standby"; fi
    done
    await 90 "node $old streams from node $new" "$t0" streaming_from "$new"
    await 60 "pgpool 1 sees both nodes up" "$t0" pool_sees_both 1
    await 60 "pgpool 2 sees both nodes up" "$t0" pool_sees_both 2
}

# Writes a stale status file in which the primary is down. At its next start, pgpool uses
# it and searches the other backends without end. A new container does not have the file.
stale_status() {
    local primary t0 stale
    primary=$(current_primary)
    say "a pgpool_status with node $primary down, and a crash of pgpool 1"
    stale='down\nup\n'
    [[ "$primary" == 1 ]] || stale='up\ndown\n'
    docker exec "$PREFIX-pool-1" bash -c "printf '$stale' >/var/log/pgpool/pgpool_status; pkill -9 pgpool"
    t0=$(now_ms)
    await 20 "container of pgpool 1 started again" "$t0" restarted_since "$PREFIX-pool-1" "$t0"
    sleep 15
    if pool_writes_to 1 "$primary"; then say "    pgpool 1 serves nevertheless"; else say "    pgpool 1 does not serve after 15 s (blocked)"; fi
    t0=$(now_ms)
    docker rm -f "$PREFIX-pool-1" >/dev/null
    run_pool 1
    await 30 "pgpool 1, new container, writes to node $primary" "$t0" pool_writes_to 1 "$primary"
}

tls_only() {
    local primary answer
    primary=$(current_primary)
    answer=$(q "$(ip "$primary")" repmgr repmgr "SELECT ssl, version, cipher FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)")
    say "replication: $answer"
    [[ "$answer" == 't|TLSv1.3|'* ]] || fail "replication does not run over TLS 1.3"
    answer=$(docker exec -e PGPASSWORD="$REPMGR_PASSWORD" "$PREFIX-probe" psql -XAtw -d "host=$(ip "$primary") user=repmgr dbname=repmgr replication=true sslmode=disable" -c 'IDENTIFY_SYSTEM' 2>&1) &&
        fail "plaintext replication was accepted"
    say "plaintext replication refused: ${answer##*FATAL: }"
    answer=$(docker exec -e PGPASSWORD="$APP_PASSWORD" "$PREFIX-probe" psql -XAtw -d "host=$(ip "$primary") user=app dbname=app sslmode=disable" -c 'SELECT 1' 2>&1) &&
        fail "plaintext login was accepted"
    say "plaintext login refused: ${answer##*FATAL: }"
    answer=$(docker exec -e PGPASSWORD="$APP_PASSWORD" "$PREFIX-probe" psql -XAtw -d "host=$(ip "$primary") user=app dbname=app sslmode=require ssl_max_protocol_version=TLSv1.2" -c 'SELECT 1' 2>&1) &&
        fail "TLS 1.2 was accepted"
    say "TLS 1.2 refused: ${answer##*error: }"
    answer=$(q "$(ip "$primary")" repmgr repmgr "SELECT DISTINCT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IN ('$(pool_ip 1)', '$(pool_ip 2)')")
    say "pgpool's backend connections: $answer"
    [[ "$answer" == 't|TLSv1.3' ]] || fail "pgpool's backend connections are not all TLS 1.3"
}

main() {
    if (($# == 0)); then
        set -- up rounds kill standby frozen both gap stale tls interrupted
        trap down EXIT
    fi
    local step
    for step in "$@"; do
        case $step in
            up | rounds | down) "$step" ;;
            kill) kill_container ;;
            standby) standby_stop ;;
            frozen) frozen_repmgrd ;;
            both) both ;;
            gap) gap ;;
            interrupted) interrupted ;;
            stale) stale_status ;;
            tls) tls_only ;;
            *)
                echo "unknown step: $step" >&2
                exit 2
                ;;
        esac
    done
    say "all steps passed"
}

main "$@"
