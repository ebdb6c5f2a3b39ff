#!/usr/bin/env bash
# pgpool's failover_command: NODE_NUMBER HOST PORT of the backend marked down.
#
# After marking a backend down pgpool searches for a primary among the others, for
# ever, and takes no request to attach one meanwhile; with all of them down it gives
# up searching. So when nobody is promoted and the old primary comes back as
# primary, pgpool never looks at it. This watcher does, in the background: it ends
# when pgpool serves from a primary again, and restarts pgpool (through the
# container's restart policy, without its status file) when a primary is there and
# pgpool has not served from it a few seconds later.
#
# It starts with a failover only. A pgpool that is wedged from its start by a stale
# status file is left alone: that lesson of the reference must stay reproducible.
set -uo pipefail

CONF_DIR=/run/pool
ASKS_BEFORE_RESTART=2 # each a second apart and given two seconds

# shellcheck source=/dev/null
source "$CONF_DIR/unwedge.env"

# is_primary HOST PORT: asks a backend, or pgpool itself, whether it is one.
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
        # Slower when it takes long: somebody is at work, or nobody is.
        if ((SECONDS - start < 120)); then sleep 1; else sleep 5; fi
        if ! primary=$(find_primary); then
            asks=0
            continue
        fi
        if is_primary /var/run/postgresql "$UNWEDGE_PORT" disable; then return; fi
        asks=$((asks + 1))
        if ((asks >= ASKS_BEFORE_RESTART)); then
            echo "pool-unwedge: $primary is primary and pgpool does not serve from it: restarting pgpool without its status file" >&2
            rm -f /var/log/pgpool/pgpool_status
            # KILL: the main process does not serve other signals while it searches.
            pkill -KILL -x pgpool
            return
        fi
    done
}

# pgpool waits for this command: leave the work to the background, where one
# watcher is enough. The descriptors stay the container's output.
{
    flock -n 9 || exit 0
    watch_search
} 9>"$CONF_DIR/unwedge.lock" </dev/null &
