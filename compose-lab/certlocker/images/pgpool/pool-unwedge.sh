#!/usr/bin/env bash
# pgpool's failover_command: NODE_NUMBER HOST PORT of the backend marked down.
#
# pgpool then searches for a primary among the other backends, for ever, and takes
# no request to attach one meanwhile. When nobody is promoted and the old primary
# comes back as primary, it would never look at it. This watcher does, in the
# background: it ends when another backend is primary (pgpool finds it by itself)
# and restarts pgpool, through the container's restart policy and without its
# status file, when the marked one has been primary again for two seconds.
set -uo pipefail

CONF_DIR=/run/pool
LIMIT_SECONDS=600 # then somebody has to look anyway

# shellcheck source=/dev/null
source "$CONF_DIR/unwedge.env"

is_primary() {
    [[ "$(PGPASSFILE=$CONF_DIR/pgpass timeout 3 psql -XAtw \
        -d "host=$1 port=$2 dbname=$UNWEDGE_DATABASE user=$UNWEDGE_USER connect_timeout=2 sslmode=$UNWEDGE_SSLMODE" \
        -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" == f ]]
}

watch_search() {
    local node=$1 host=$2 port=$3 seen=0 end=$((SECONDS + LIMIT_SECONDS)) entry number other other_port
    while ((SECONDS < end)); do
        sleep 1
        for entry in ${UNWEDGE_BACKENDS//[,;]/ }; do
            IFS=: read -r number other other_port _ <<<"$entry"
            [[ "$number" != "$node" ]] || continue
            if is_primary "$other" "${other_port:-5432}"; then return; fi
        done
        if is_primary "$host" "$port"; then seen=$((seen + 1)); else seen=0; fi
        if ((seen >= 2)); then
            echo "pool-unwedge: $host:$port is primary again and nobody was promoted: restarting pgpool without its status file" >&2
            rm -f /var/log/pgpool/pgpool_status
            # KILL: the main process does not serve other signals while it searches.
            pkill -KILL -x pgpool
            return
        fi
    done
}

# pgpool waits for this command: leave the work to the background. The descriptors
# stay the container's output.
watch_search "$@" </dev/null &
