# shellcheck shell=bash disable=SC2034 # variables are read by the file that sources this one
# Functions of ha-entrypoint: settings, generated configuration, and queries to this
# node and its partners.
#
# Names and defaults of the environment variables are those of Bitnami's
# postgresql-repmgr image, so that a compose file works with either image.

# The log lines have PostgreSQL's time format (%m: time, ms, zone), so that both logs
# can be merged.
log() {
    local now=$EPOCHREALTIME
    TZ=UTC printf '%(%Y-%m-%d %H:%M:%S)T.%s UTC [%s] %s: %s\n' "${now%.*}" "${now#*.}" "$$" ha-entrypoint "$*" \
        | sed -E 's/(\.[0-9]{3})[0-9]+ UTC/\1 UTC/' >&2
}

die() {
    log "ERROR: $*"
    exit 1
}

is_yes() { [[ "${1,,}" =~ ^(yes|true|on|1)$ ]]; }

# Runs a command as a job with a timeout, so that a trap runs at once: bash delays
# traps while a foreground command runs. bounded SECONDS CMD...
bounded() {
    local seconds=$1
    shift
    # A job's stdin would be /dev/null. It needs the caller's, for here-documents.
    timeout --kill-after=2 "$seconds" "$@" <&0 &
    wait "$!"
}

# --- settings ---------------------------------------------------------------

# NAME_FILE holds the path of a file with the value of NAME.
read_file_variables() {
    local file_var name
    for file_var in $(compgen -v | grep -E '^(POSTGRES|POSTGRESQL|REPMGR)_[A-Z0-9_]+_FILE$'); do
        name=${file_var%_FILE}
        # The values of these variables are paths themselves.
        case "$name" in *_CERT | *_KEY | *_CA | *_CRL) continue ;; esac
        [[ -n "${!file_var}" ]] || continue
        [[ -r "${!file_var}" ]] || die "$file_var: cannot read ${!file_var}"
        export "$name=$(<"${!file_var}")"
        unset "$file_var"
    done
}

load_settings() {
    read_file_variables

    export POSTGRESQL_VOLUME_DIR=${POSTGRESQL_VOLUME_DIR:-/bitnami/postgresql}
    export POSTGRESQL_DATA_DIR=${POSTGRESQL_DATA_DIR:-${PGDATA:-$POSTGRESQL_VOLUME_DIR/data}}
    export POSTGRESQL_PORT_NUMBER=${POSTGRESQL_PORT_NUMBER:-${POSTGRES_PORT_NUMBER:-5432}}
    export POSTGRESQL_USERNAME=${POSTGRESQL_USERNAME:-${POSTGRES_USERNAME:-${POSTGRES_USER:-postgres}}}
    export POSTGRESQL_PASSWORD=${POSTGRESQL_PASSWORD:-${POSTGRES_PASSWORD:-}}
    export POSTGRESQL_DATABASE=${POSTGRESQL_DATABASE:-${POSTGRES_DATABASE:-${POSTGRES_DB:-postgres}}}
    export POSTGRESQL_POSTGRES_PASSWORD=${POSTGRESQL_POSTGRES_PASSWORD:-${POSTGRES_POSTGRES_PASSWORD:-}}
    [[ "$POSTGRESQL_USERNAME" != postgres ]] || POSTGRESQL_POSTGRES_PASSWORD=${POSTGRESQL_POSTGRES_PASSWORD:-$POSTGRESQL_PASSWORD}
    export POSTGRESQL_MAX_CONNECTIONS=${POSTGRESQL_MAX_CONNECTIONS:-100}
    export POSTGRESQL_INITDB_ARGS=${POSTGRESQL_INITDB_ARGS:-}
    export POSTGRESQL_EXTRA_FLAGS=${POSTGRESQL_EXTRA_FLAGS:-}
    export POSTGRESQL_FSYNC=${POSTGRESQL_FSYNC:-on}
    export POSTGRESQL_SYNCHRONOUS_COMMIT_MODE=${POSTGRESQL_SYNCHRONOUS_COMMIT_MODE:-on}
    export POSTGRESQL_INIT_MAX_TIMEOUT=${POSTGRESQL_INIT_MAX_TIMEOUT:-60}
    export POSTGRESQL_PGCTLTIMEOUT=${POSTGRESQL_PGCTLTIMEOUT:-60}
    export POSTGRESQL_SHUTDOWN_MODE=${POSTGRESQL_SHUTDOWN_MODE:-fast}
    export POSTGRESQL_ENABLE_TLS=${POSTGRESQL_ENABLE_TLS:-no}
    export POSTGRESQL_TLS_CERT_FILE=${POSTGRESQL_TLS_CERT_FILE:-}
    export POSTGRESQL_TLS_KEY_FILE=${POSTGRESQL_TLS_KEY_FILE:-}
    export POSTGRESQL_TLS_CA_FILE=${POSTGRESQL_TLS_CA_FILE:-}

    export REPMGR_NODE_NAME=${REPMGR_NODE_NAME:-$(hostname)}
    export REPMGR_NODE_NETWORK_NAME=${REPMGR_NODE_NETWORK_NAME:-$REPMGR_NODE_NAME}
    export REPMGR_NODE_ID=${REPMGR_NODE_ID:-}
    if [[ -z "$REPMGR_NODE_ID" && "$REPMGR_NODE_NAME" =~ -([0-9]+)$ ]]; then
        # 10#: a name such as node-08 is not octal.
        REPMGR_NODE_ID=$((10#${BASH_REMATCH[1]} + ${REPMGR_NODE_ID_START_SEED:-1000}))
    fi
    export REPMGR_NODE_TYPE=${REPMGR_NODE_TYPE:-data}
    export REPMGR_NODE_PRIORITY=${REPMGR_NODE_PRIORITY:-100}
    export REPMGR_NODE_LOCATION=${REPMGR_NODE_LOCATION:-default}
    export REPMGR_PORT_NUMBER=${REPMGR_PORT_NUMBER:-5432}
    export REPMGR_PARTNER_NODES=${REPMGR_PARTNER_NODES:-}
    export REPMGR_PRIMARY_HOST=${REPMGR_PRIMARY_HOST:-}
    export REPMGR_PRIMARY_PORT=${REPMGR_PRIMARY_PORT:-5432}
    export REPMGR_USERNAME=${REPMGR_USERNAME:-repmgr}
    export REPMGR_PASSWORD=${REPMGR_PASSWORD:-}
    export REPMGR_DATABASE=${REPMGR_DATABASE:-repmgr}
    export REPMGR_USE_PASSFILE=${REPMGR_USE_PASSFILE:-false}
    export REPMGR_PASSFILE_PATH=${REPMGR_PASSFILE_PATH:-$CONF_DIR/pgpass}
    export REPMGR_LOG_LEVEL=${REPMGR_LOG_LEVEL:-NOTICE}
    export REPMGR_CONNECT_TIMEOUT=${REPMGR_CONNECT_TIMEOUT:-5}
    export REPMGR_RECONNECT_ATTEMPTS=${REPMGR_RECONNECT_ATTEMPTS:-3}
    export REPMGR_RECONNECT_INTERVAL=${REPMGR_RECONNECT_INTERVAL:-5}
    export REPMGR_MASTER_RESPONSE_TIMEOUT=${REPMGR_MASTER_RESPONSE_TIMEOUT:-20}
    export REPMGR_MONITOR_INTERVAL_SECS=${REPMGR_MONITOR_INTERVAL_SECS:-2}
    export REPMGR_MONITORING_HISTORY=${REPMGR_MONITORING_HISTORY:-no}
    export REPMGR_DEGRADED_MONITORING_TIMEOUT=${REPMGR_DEGRADED_MONITORING_TIMEOUT:-5}
    export REPMGR_PRIMARY_VISIBILITY_CONSENSUS=${REPMGR_PRIMARY_VISIBILITY_CONSENSUS:-false}
    export REPMGR_FAILOVER=${REPMGR_FAILOVER:-automatic}
    export REPMGR_USE_REPLICATION_SLOTS=${REPMGR_USE_REPLICATION_SLOTS:-1}
    export REPMGR_USE_PGREWIND=${REPMGR_USE_PGREWIND:-no}

    SLOT_NAME=repmgr_slot_$REPMGR_NODE_ID
    CONF_FILE=$CONF_DIR/postgresql.conf
    HBA_FILE=$CONF_DIR/pg_hba.conf
    REPMGR_CONF=$CONF_DIR/repmgr.conf
    INCOMPLETE=$POSTGRESQL_VOLUME_DIR/incomplete
}

check_settings() {
    local problem=()
    [[ -n "$REPMGR_PASSWORD" ]] || problem+=("REPMGR_PASSWORD is empty")
    [[ -n "$POSTGRESQL_PASSWORD" ]] || problem+=("POSTGRESQL_PASSWORD is empty")
    [[ -n "$REPMGR_PARTNER_NODES" ]] || problem+=("REPMGR_PARTNER_NODES is empty")
    [[ -n "$REPMGR_PRIMARY_HOST" ]] || problem+=("REPMGR_PRIMARY_HOST is empty")
    [[ "$REPMGR_NODE_ID" =~ ^[0-9]+$ ]] || problem+=("REPMGR_NODE_ID is not a number and REPMGR_NODE_NAME '$REPMGR_NODE_NAME' does not end in -NUMBER")
    [[ "$REPMGR_NODE_TYPE" =~ ^(data|witness)$ ]] || problem+=("REPMGR_NODE_TYPE is neither data nor witness")
    [[ "$REPMGR_FAILOVER" =~ ^(automatic|manual)$ ]] || problem+=("REPMGR_FAILOVER is neither automatic nor manual")
    if is_yes "$POSTGRESQL_ENABLE_TLS"; then
        [[ -f "$POSTGRESQL_TLS_CERT_FILE" ]] || problem+=("POSTGRESQL_TLS_CERT_FILE: no file '$POSTGRESQL_TLS_CERT_FILE'")
        [[ -f "$POSTGRESQL_TLS_KEY_FILE" ]] || problem+=("POSTGRESQL_TLS_KEY_FILE: no file '$POSTGRESQL_TLS_KEY_FILE'")
        [[ -z "$POSTGRESQL_TLS_CA_FILE" || -f "$POSTGRESQL_TLS_CA_FILE" ]] || problem+=("POSTGRESQL_TLS_CA_FILE: no file '$POSTGRESQL_TLS_CA_FILE'")
    fi
    ((${#problem[@]} == 0)) && return 0
    local line
    for line in "${problem[@]}"; do log "ERROR: $line"; done
    exit 1
}

# Sets PARTNERS to host:port of every partner, without this node.
find_partners() {
    PARTNERS=()
    local entry host port
    for entry in ${REPMGR_PARTNER_NODES//[,;]/ }; do
        entry=${entry#*://}
        host=${entry%%:*}
        port=$REPMGR_PRIMARY_PORT
        [[ "$entry" != *:* ]] || port=${entry##*:}
        [[ "$host:$port" != "$REPMGR_NODE_NETWORK_NAME:$REPMGR_PORT_NUMBER" ]] || continue
        PARTNERS+=("$host:$port")
    done
}

# --- generated configuration --------------------------------------------------

# One connection string value, quoted for libpq.
conninfo_quote() {
    local value=${1//\\/\\\\}
    printf "'%s'" "${value//\'/\\\'}"
}

# One password file field: ':' and '\' are escaped.
pgpass_quote() {
    local value=${1//\\/\\\\}
    printf '%s' "${value//:/\\:}"
}

tls_conninfo() {
    if ! is_yes "$POSTGRESQL_ENABLE_TLS"; then
        printf 'sslmode=prefer'
    elif [[ -n "$POSTGRESQL_TLS_CA_FILE" ]]; then
        # verify-ca, not verify-full: nodes connect by address, and the certificate
        # need not list the address.
        printf 'sslmode=verify-ca sslrootcert=%s' "$TLS_DIR/ca.crt"
    else
        printf 'sslmode=require'
    fi
}

write_configuration() {
    local tls_lines="ssl = off" host_type=host
    if is_yes "$POSTGRESQL_ENABLE_TLS"; then
        host_type=hostssl
        tls_lines="ssl = on
ssl_cert_file = '$TLS_DIR/server.crt'
ssl_key_file = '$TLS_DIR/server.key'
# No older version: this stack has both ends.
ssl_min_protocol_version = 'TLSv1.3'"
        # The CA is only for this node as a client (see tls_conninfo). As ssl_ca_file
        # it would make the server request a certificate from every client.
    fi
    cat >"$CONF_FILE" <<CONF
# Generated by ha-entrypoint at each start.
listen_addresses = '*'
# Queries can show which node has answered.
cluster_name = '$REPMGR_NODE_NAME'
port = $POSTGRESQL_PORT_NUMBER
max_connections = $POSTGRESQL_MAX_CONNECTIONS
password_encryption = 'scram-sha-256'
$tls_lines

# Small: two nodes and their JVMs share one machine in the lab.
shared_buffers = 64MB
jit = off

# Replication. repmgrd needs repmgr's library preloaded.
shared_preload_libraries = 'repmgr'
wal_level = replica
hot_standby = on
max_wal_senders = 16
max_replication_slots = 10
# Hint bits are logged, so that pg_rewind can work.
wal_log_hints = on
# A standby that was down for a while catches up from the slot or from these files,
# without a clone. The limit prevents a lost standby from filling the primary's disk.
wal_keep_size = 128MB
max_slot_wal_keep_size = 1GB
synchronous_commit = $POSTGRESQL_SYNCHRONOUS_COMMIT_MODE
fsync = $POSTGRESQL_FSYNC
# A power cut of the partner (no FIN) is detected within these times.
wal_sender_timeout = 15s
wal_receiver_timeout = 15s
wal_retrieve_retry_interval = 1s
tcp_keepalives_idle = 5
tcp_keepalives_interval = 2
tcp_keepalives_count = 3

# All logging to the container's stderr, with milliseconds and time zone (%m).
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
log_checkpoints = off

# Files mounted here override all settings.
include_dir = '$EXTRA_CONF_DIR'
CONF
    mkdir -p "$EXTRA_CONF_DIR"
    # Over the network: only TLS (if it is on) and only SCRAM. 'all' does not include
    # replication connections, so a plaintext one matches no line.
    cat >"$HBA_FILE" <<CONF
local       all          postgres                                peer
local       all          all                                     scram-sha-256
host        all          all                127.0.0.1/32         scram-sha-256
host        all          all                ::1/128              scram-sha-256
$host_type  replication  $REPMGR_USERNAME   all                  scram-sha-256
$host_type  all          all                all                  scram-sha-256
CONF
    # One password file for all hosts and databases of the repmgr user. libpq reads
    # it, so no shell handles the password.
    (
        umask 077
        printf '*:*:*:%s:%s\n' "$(pgpass_quote "$REPMGR_USERNAME")" "$(pgpass_quote "$REPMGR_PASSWORD")" >"$CONF_DIR/pgpass"
    )
    local conninfo_password command_password
    if [[ "$REPMGR_USE_PASSFILE" == true ]]; then
        if [[ "$REPMGR_PASSFILE_PATH" != "$CONF_DIR/pgpass" && ! -f "$REPMGR_PASSFILE_PATH" ]]; then
            install -m 0600 "$CONF_DIR/pgpass" "$REPMGR_PASSFILE_PATH"
        fi
        conninfo_password="passfile=$REPMGR_PASSFILE_PATH"
        command_password="PGPASSFILE=$REPMGR_PASSFILE_PATH"
    else
        # As in the reference: the password is unquoted in a command that repmgrd
        # passes to a shell. A password with metacharacters breaks promotion with a
        # shell syntax error, and nothing reports this before the failover.
        conninfo_password="password=$REPMGR_PASSWORD"
        command_password="PGPASSWORD=$REPMGR_PASSWORD"
    fi
    (
        umask 077
        cat >"$REPMGR_CONF" <<CONF
# Generated by ha-entrypoint at each start.
node_id=$REPMGR_NODE_ID
node_name='$REPMGR_NODE_NAME'
location='$REPMGR_NODE_LOCATION'
priority=$REPMGR_NODE_PRIORITY
conninfo='user=$REPMGR_USERNAME $conninfo_password host=$REPMGR_NODE_NETWORK_NAME dbname=$REPMGR_DATABASE port=$REPMGR_PORT_NUMBER connect_timeout=$REPMGR_CONNECT_TIMEOUT $(tls_conninfo)'
data_directory='$POSTGRESQL_DATA_DIR'
pg_bindir='$PG_BIN'
use_replication_slots=$REPMGR_USE_REPLICATION_SLOTS
failover='$REPMGR_FAILOVER'
promote_command='$command_password $PG_BIN/repmgr standby promote -f $REPMGR_CONF --log-level INFO'
follow_command='$command_password $PG_BIN/repmgr standby follow -f $REPMGR_CONF -W --upstream-node-id=%n --log-level INFO'
reconnect_attempts=$REPMGR_RECONNECT_ATTEMPTS
reconnect_interval=$REPMGR_RECONNECT_INTERVAL
monitor_interval_secs=$REPMGR_MONITOR_INTERVAL_SECS
monitoring_history='$REPMGR_MONITORING_HISTORY'
degraded_monitoring_timeout=$REPMGR_DEGRADED_MONITORING_TIMEOUT
async_query_timeout=$REPMGR_MASTER_RESPONSE_TIMEOUT
primary_visibility_consensus='$REPMGR_PRIMARY_VISIBILITY_CONSENSUS'
log_level='$REPMGR_LOG_LEVEL'
pg_ctl_options='-o "-c config_file=$CONF_FILE -c hba_file=$HBA_FILE"'
CONF
        if [[ "$REPMGR_USE_PASSFILE" == true ]]; then
            printf "passfile='%s'\n" "$REPMGR_PASSFILE_PATH" >>"$REPMGR_CONF"
        fi
    )
    # The entry point and all programs that it starts log in with this file.
    export PGPASSFILE=$CONF_DIR/pgpass
}

# --- queries --------------------------------------------------------------------

# Connection string of a node for the repmgr user. node_conninfo HOST PORT [DB]
node_conninfo() {
    printf 'host=%s port=%s dbname=%s user=%s connect_timeout=%s %s' \
        "$1" "$2" "$(conninfo_quote "${3:-$REPMGR_DATABASE}")" "$(conninfo_quote "$REPMGR_USERNAME")" \
        "$REPMGR_CONNECT_TIMEOUT" "$(tls_conninfo)"
}

# ask HOST:PORT SQL -> the answer, unaligned
ask() {
    timeout --kill-after=1 "$((REPMGR_CONNECT_TIMEOUT + 3))" \
        psql -XAtw -F ' ' -d "$(node_conninfo "${1%:*}" "${1##*:}")" -c "$2" 2>/dev/null
}

# SQL on this node through the socket, as the superuser. local_sql [-d DB] SQL
local_sql() {
    timeout --kill-after=1 10 psql -XAtwq -v ON_ERROR_STOP=1 -h "$SOCKET_DIR" -p "$POSTGRESQL_PORT_NUMBER" -U postgres -d postgres "${@:1:$#-1}" -c "${*: -1}"
}

# Returns a node's role: "in recovery", timeline, type of its repmgr record.
# - pg_walfile_name contains the current timeline; the control file has it only after
#   the next checkpoint.
# - The record is found by address: repmgr.get_local_node_id() is unknown until the
#   node's repmgrd runs.
# - query_to_xml runs its query only if the table exists, so a node that is being set
#   up answers "none" and does not fail.
# role_sql HOST
role_sql() {
    cat <<SQL
SELECT pg_is_in_recovery(),
  CASE WHEN pg_is_in_recovery() THEN 0
       ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
  coalesce(CASE WHEN to_regclass('repmgr.nodes') IS NOT NULL THEN
    (xpath('//type/text()', query_to_xml(\$q\$
      SELECT type FROM repmgr.nodes WHERE strpos(conninfo || ' ', 'host=$1 ') > 0 LIMIT 1
    \$q\$, false, false, '')))[1]::text END, 'none')
SQL
}

# Queries all partners. Sets PRIMARY (host:port or empty), PRIMARY_TIMELINE, and
# STANDBYS_SEEN (how many answered as standbys).
survey() {
    PRIMARY="" PRIMARY_TIMELINE=0 STANDBYS_SEEN=0
    local partner answer recovering timeline type
    for partner in "${PARTNERS[@]}"; do
        answer=$(ask "$partner" "$(role_sql "${partner%:*}")") || continue
        read -r recovering timeline type <<<"$answer"
        if [[ "$recovering" == t ]]; then
            STANDBYS_SEEN=$((STANDBYS_SEEN + 1))
        # A witness, or a node that is not set up yet, is primary only of its own
        # cluster. Of two primaries, the one with the later timeline was promoted.
        elif [[ "$recovering" == f && "$type" =~ ^(primary|standby)$ ]] && ((timeline > PRIMARY_TIMELINE)); then
            PRIMARY=$partner PRIMARY_TIMELINE=$timeline
        fi
    done
}
