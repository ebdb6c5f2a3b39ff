#!/usr/bin/env bash
# pgpool's failover_command: NODE_NUMBER HOST PORT of the backend marked down.
#
# After pgpool has marked a backend down, it searches the others for a primary without
# a time limit, and accepts no request to attach a backend. If all are down, it stops
# the search. So if no standby is promoted and the old primary comes back as primary,
# pgpool never finds it. This watcher runs in the background. It ends when pgpool serves
# from a primary again. If a primary exists and pgpool does not serve from it a few
# seconds later, it restarts pgpool without its status file, through the container's
# restart policy.
#
# The watcher starts only after a failover. A pgpool that a stale status file blocks
# from its start is not restarted: drills reproduce that defect of the reference.
set -uo pipefail

CONF_DIR=/run/pool
ASKS_BEFORE_RESTART=2 # 1 s apart, each with a timeout of 2 s

# shellcheck source=/dev/null
source "$CONF_DIR/unwedge.env"

# is_primary HOST PORT SSLMODE: whether a backend, or the backend behind pgpool, is a primary.
is_primary() {
    [[ "$(PGPASSFILE=$CONF_DIR/pgpass timeout 3 psql -XAtw \
        -d "host=$1 port=$2 dbname=$UNWEDGE_DATABASE user=$UNWEDGE_USER connect_timeout=2 sslmode=$3" \
        -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" == f ]]
}

# Prints the address of a backend that is primary.
find_primary() {
    local entry host port
    for entry in ${UNWEDGE_BACKENDS//[,;]/ }; do
        IFS=: read -r _ host port _ <<<"$entry"
        if is_primary "$host" "${port:-5432}" "$UNWEDGE_SSLMODE"; then
            echo "$host:${port:-5432}"
            return 0
        fi
    done
    return 1
}

watch_search() {
    local primary asks=0 start=$SECONDS
    while true; do
        # After 2 min the pause is longer, to save CPU.
        if ((SECONDS - start < 120)); then sleep 1; else sleep 5; fi
        if ! primary=$(find_primary); then
            asks=0
            continue
        fi
        if is_primary /var/run/postgresql "$UNWEDGE_PORT" disable; then return; fi
        asks=$((asks + 1))
        if ((asks >= ASKS_BEFORE_RESTART)); then
            echo "pool-unwedge: $primary is primary, but pgpool does not serve from it: restarting pgpool without its status file" >&2
            rm -f /var/log/pgpool/pgpool_status
            # SIGKILL: the main process handles no other signal during its search.
            pkill -KILL -x pgpool
            return
        fi
    done
}

# pgpool waits for this command, so the watcher runs in the background. The lock
# allows one watcher. Its output is the container's output.
{
    flock -n 9 || exit 0
    watch_search
} 9>"$CONF_DIR/unwedge.lock" </dev/null &
