#!/usr/bin/env bash
# Entry point of pgpool: writes its configuration from the environment, then execs
# pgpool. Names and defaults of the variables are those of Bitnami's pgpool image. A
# comment explains each difference.
#
# The name of this file does not contain "pgpool", so `pkill -9 pgpool` in the
# container hits the daemon only.
set -euo pipefail

CONF_DIR=/run/pool
DATA_DIR=/var/log/pgpool # has pgpool_status, in the container's own file system

log() {
    local now=$EPOCHREALTIME
    local ms=${now#*.}
    TZ=UTC printf '%(%Y-%m-%d %H:%M:%S)T.%s UTC pool-entrypoint: %s\n' "${now%.*}" "${ms:0:3}" "$*" >&2
}

die() {
    log "ERROR: $*"
    exit 1
}

is_yes() { [[ "${1,,}" =~ ^(yes|true|on|1)$ ]]; }
on_off() { if is_yes "$1"; then echo on; else echo off; fi; }

# NAME_FILE holds the path of a file with the value of NAME.
read_file_variables() {
    local file_var name
    for file_var in $(compgen -v | grep -E '^PGPOOL_[A-Z0-9_]+_FILE$' || true); do
        name=${file_var%_FILE}
        # The values of these variables are paths themselves.
        case "$name" in *_CERT | *_KEY | *_CA | *_USER_CONF | *_USER_HBA | *_PASSWD) continue ;; esac
        [[ -n "${!file_var}" ]] || continue
        [[ -r "${!file_var}" ]] || die "$file_var: cannot read ${!file_var}"
        export "$name=$(<"${!file_var}")"
    done
}

# A value inside single quotes in pgpool.conf.
conf_quote() {
    local value=${1//\\/\\\\}
    printf "'%s'" "${value//\'/\\\'}"
}

load_settings() {
    read_file_variables
    port=${PGPOOL_PORT_NUMBER:-5432}
    backends=${PGPOOL_BACKEND_NODES:-}
    application_names=${PGPOOL_BACKEND_APPLICATION_NAMES:-}
    load_balancing=${PGPOOL_ENABLE_LOAD_BALANCING:-yes}
    connection_cache=${PGPOOL_ENABLE_CONNECTION_CACHE:-yes}
    num_init_children=${PGPOOL_NUM_INIT_CHILDREN:-32}
    max_pool=${PGPOOL_MAX_POOL:-15}
    connect_timeout_ms=${PGPOOL_CONNECT_TIMEOUT:-10000}
    sr_check_user=${PGPOOL_SR_CHECK_USER:-}
    sr_check_password=${PGPOOL_SR_CHECK_PASSWORD:-}
    sr_check_database=${PGPOOL_SR_CHECK_DATABASE:-postgres}
    sr_check_period=${PGPOOL_SR_CHECK_PERIOD:-30}
    health_check_user=${PGPOOL_HEALTH_CHECK_USER:-$sr_check_user}
    health_check_password=${PGPOOL_HEALTH_CHECK_PASSWORD:-$sr_check_password}
    health_check_period=${PGPOOL_HEALTH_CHECK_PERIOD:-30}
    health_check_timeout=${PGPOOL_HEALTH_CHECK_TIMEOUT:-10}
    health_check_max_retries=${PGPOOL_HEALTH_CHECK_MAX_RETRIES:-5}
    health_check_retry_delay=${PGPOOL_HEALTH_CHECK_RETRY_DELAY:-5}
    auto_failback=${PGPOOL_AUTO_FAILBACK:-no}
    auto_failback_interval=${PGPOOL_AUTO_FAILBACK_INTERVAL:-5}
    search_primary_timeout=${PGPOOL_SEARCH_PRIMARY_NODE_TIMEOUT:-0}
    failover_on_shutdown=${PGPOOL_FAILOVER_ON_BACKEND_SHUTDOWN:-on}
    failover_on_error=${PGPOOL_FAILOVER_ON_BACKEND_ERROR:-off}
    # "no", while later images of the reference have "yes": its report describes a
    # stale pgpool_status that blocked pgpool, and a drill writes such a file. A new
    # container starts without the file in both cases.
    discard_status=${PGPOOL_DISCARD_STATUS:-no}
    enable_tls=${PGPOOL_ENABLE_TLS:-no}
    tls_cert=${PGPOOL_TLS_CERT_FILE:-}
    tls_key=${PGPOOL_TLS_KEY_FILE:-}
    tls_ca=${PGPOOL_TLS_CA_FILE:-}
    authentication=${PGPOOL_AUTHENTICATION_METHOD:-scram-sha-256}
    postgres_username=${PGPOOL_POSTGRES_USERNAME:-postgres}
    postgres_password=${PGPOOL_POSTGRES_PASSWORD:-}
    admin_username=${PGPOOL_ADMIN_USERNAME:-}
    admin_password=${PGPOOL_ADMIN_PASSWORD:-}
    custom_users=${PGPOOL_POSTGRES_CUSTOM_USERS:-}
    custom_passwords=${PGPOOL_POSTGRES_CUSTOM_PASSWORDS:-}
}

check_settings() {
    local problem=()
    [[ -n "$backends" ]] || problem+=("PGPOOL_BACKEND_NODES is empty (NUMBER:HOST[:PORT],...)")
    [[ -n "$admin_username" && -n "$admin_password" ]] || problem+=("PGPOOL_ADMIN_USERNAME or PGPOOL_ADMIN_PASSWORD is empty")
    [[ -n "$sr_check_user" && -n "$sr_check_password" ]] || problem+=("PGPOOL_SR_CHECK_USER or PGPOOL_SR_CHECK_PASSWORD is empty")
    [[ -n "$postgres_password" ]] || problem+=("PGPOOL_POSTGRES_PASSWORD is empty")
    if is_yes "$enable_tls"; then
        [[ -f "$tls_cert" ]] || problem+=("PGPOOL_TLS_CERT_FILE: no file '$tls_cert'")
        [[ -f "$tls_key" ]] || problem+=("PGPOOL_TLS_KEY_FILE: no file '$tls_key'")
        [[ -z "$tls_ca" || -f "$tls_ca" ]] || problem+=("PGPOOL_TLS_CA_FILE: no file '$tls_ca'")
    fi
    if is_yes "$auto_failback" && [[ -z "$application_names" ]]; then
        problem+=("PGPOOL_AUTO_FAILBACK needs PGPOOL_BACKEND_APPLICATION_NAMES")
    fi
    ((${#problem[@]} == 0)) && return 0
    local line
    for line in "${problem[@]}"; do log "ERROR: $line"; done
    exit 1
}

prepare_as_root() {
    install -d -o postgres -g postgres -m 0700 "$CONF_DIR"
    install -d -o postgres -g postgres -m 0755 "$DATA_DIR" /var/run/postgresql
    if is_yes "$enable_tls"; then
        # Copies, because the mounted key may be readable only by root.
        install -o postgres -g postgres -m 0644 "$tls_cert" "$CONF_DIR/server.crt"
        install -o postgres -g postgres -m 0600 "$tls_key" "$CONF_DIR/server.key"
        if [[ -n "$tls_ca" ]]; then
            install -o postgres -g postgres -m 0644 "$tls_ca" "$CONF_DIR/ca.crt"
        fi
    fi
    export HOME=/var/lib/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
}

write_main_configuration() {
    cat <<CONF
# Generated by pool-entrypoint at each start.
backend_clustering_mode = 'streaming_replication'
listen_addresses = '*'
port = $port
unix_socket_directories = '/var/run/postgresql'
pcp_listen_addresses = 'localhost'
pcp_socket_dir = '/var/run/postgresql'
pid_file_name = '$CONF_DIR/pool.pid'
logdir = '$DATA_DIR'
log_destination = 'stderr'
log_line_prefix = '%m UTC [%p] '

# The query cache is off, but pgpool still allocates its shared memory (135 MB by
# default).
memory_cache_enabled = off
memqcache_total_size = 1MB
memqcache_max_num_cache = 1000

# Processes are forked at start, and each session uses one. This number times
# max_pool is the limit of connections to each backend.
num_init_children = $num_init_children
max_pool = $max_pool
connection_cache = $(on_off "$connection_cache")
connect_timeout = $connect_timeout_ms
authentication_timeout = 30

# Off in the lab: every statement goes to the primary.
load_balance_mode = $(on_off "$load_balancing")
statement_level_load_balance = $(on_off "${PGPOOL_ENABLE_STATEMENT_LOAD_BALANCING:-no}")
disable_load_balance_on_write = '${PGPOOL_DISABLE_LOAD_BALANCE_ON_WRITE:-transaction}'

# Passwords of these users are taken from pool_passwd.
sr_check_user = $(conf_quote "$sr_check_user")
sr_check_password = ''
sr_check_database = $(conf_quote "$sr_check_database")
sr_check_period = $sr_check_period
health_check_user = $(conf_quote "$health_check_user")
health_check_password = ''
health_check_database = $(conf_quote "$sr_check_database")
health_check_period = $health_check_period
health_check_timeout = $health_check_timeout
health_check_max_retries = $health_check_max_retries
health_check_retry_delay = $health_check_retry_delay

# A backend is marked down by the health check, or when it reports its shutdown. A
# single broken connection does not mark it down; its session gets an error.
failover_on_backend_error = $(on_off "$failover_on_error")
failover_on_backend_shutdown = $(on_off "$failover_on_shutdown")
# pgpool promotes no backend: repmgr does that. While pgpool searches for the primary
# (each second), it serves no session, so no read goes to a standby that is not
# promoted. 0 means no limit: after a limit, pgpool would go on without a primary and
# serve reads from the standby.
search_primary_node_timeout = $search_primary_timeout
# The search skips backends that are marked down. If the old primary comes back as
# primary, the search would never end: see pool-unwedge.
failover_command = '/usr/local/bin/pool-unwedge %d %h %p'
# pgpool attaches a backend again when it streams from the primary.
auto_failback = $(on_off "$auto_failback")
auto_failback_interval = $auto_failback_interval

enable_pool_hba = on
pool_passwd = '$CONF_DIR/pool_passwd'
allow_clear_text_frontend_auth = off
CONF
    # `ssl = on` also enables TLS for connections to the backends, which require it.
    if is_yes "$enable_tls"; then
        cat <<CONF
ssl = on
ssl_cert = '$CONF_DIR/server.crt'
ssl_key = '$CONF_DIR/server.key'
CONF
        [[ -z "$tls_ca" ]] || echo "ssl_ca_cert = '$CONF_DIR/ca.crt'"
    fi
    local -a names
    local entry number host backend_port weight directory flag
    read -r -a names <<<"${application_names//[,;]/ }"
    for entry in ${backends//[,;]/ }; do
        IFS=: read -r number host backend_port weight directory flag <<<"$entry"
        cat <<CONF
backend_hostname$number = '$host'
backend_port$number = ${backend_port:-5432}
backend_weight$number = ${weight:-1}
backend_data_directory$number = '${directory:-/data}'
backend_flag$number = '${flag:-ALLOW_TO_FAILOVER}'
CONF
        [[ -z "${names[0]:-}" ]] || echo "backend_application_name$number = $(conf_quote "${names[0]}")"
        names=("${names[@]:1}")
    done
    if [[ -n "${PGPOOL_USER_CONF_FILE:-}" ]]; then
        cat "$PGPOOL_USER_CONF_FILE"
    fi
}

# SCRAM needs the password itself on both sides, so pool_passwd holds it, encrypted
# with a key of this container (pg_enc). Passwords are passed in a file of mode 0600,
# not as arguments.
write_passwords() {
    head -c 20 /dev/urandom | base64 >"$CONF_DIR/key"
    : >"$CONF_DIR/pool_passwd"
    declare -A users=()
    local -a names passwords
    local i
    read -r -a names <<<"${custom_users//[,;]/ }"
    read -r -a passwords <<<"${custom_passwords//[,;]/ }"
    ((${#names[@]} == ${#passwords[@]})) || die "PGPOOL_POSTGRES_CUSTOM_USERS and ..._PASSWORDS differ in length"
    for ((i = 0; i < ${#names[@]}; i++)); do users[${names[i]}]=${passwords[i]}; done
    users[$sr_check_user]=$sr_check_password
    users[$health_check_user]=$health_check_password
    users[$postgres_username]=$postgres_password
    if [[ -n "${PGPOOL_USERNAME:-}" ]]; then users[$PGPOOL_USERNAME]=${PGPOOL_PASSWORD:-}; fi
    for i in "${!users[@]}"; do
        printf '%s:%s\n' "$i" "${users[$i]}"
    done >"$CONF_DIR/plain"
    # pg_enc writes pool_passwd next to the given configuration file.
    pg_enc -m -k "$CONF_DIR/key" -f "$CONF_DIR/pgpool.conf" -i "$CONF_DIR/plain" >"$CONF_DIR/pg_enc.log" 2>&1 || { cat "$CONF_DIR/pg_enc.log" >&2; die "pg_enc failed"; }
    rm -f "$CONF_DIR/plain" "$CONF_DIR/pg_enc.log"
    local stored
    stored=$(wc -l <"$CONF_DIR/pool_passwd")
    ((stored == ${#users[@]})) || die "pool_passwd has $stored of ${#users[@]} users"
    # pcp supports only a hash without salt.
    printf '%s:%s\n' "$admin_username" "$(printf '%s' "$admin_password" | md5sum | cut -d' ' -f1)" >"$CONF_DIR/pcp.conf"
    # For pool-unwedge, which queries the backends itself.
    local value=${sr_check_password//\\/\\\\}
    printf '*:*:*:%s:%s\n' "$sr_check_user" "${value//:/\\:}" >"$CONF_DIR/pgpass"
    {
        printf 'UNWEDGE_BACKENDS=%q\n' "$backends"
        printf 'UNWEDGE_PORT=%q\n' "$port"
        printf 'UNWEDGE_USER=%q\n' "$sr_check_user"
        printf 'UNWEDGE_DATABASE=%q\n' "$sr_check_database"
        printf 'UNWEDGE_SSLMODE=%q\n' "$(if is_yes "$enable_tls"; then echo require; else echo prefer; fi)"
    } >"$CONF_DIR/unwedge.env"
}

main() {
    load_settings
    check_settings
    if ((EUID == 0)); then
        prepare_as_root "$@"
    fi
    umask 077
    write_main_configuration >"$CONF_DIR/pgpool.conf"
    cat >"$CONF_DIR/pool_hba.conf" <<CONF
local  all  all       $authentication
host   all  all  all  $authentication
CONF
    [[ -z "${PGPOOL_USER_HBA_FILE:-}" ]] || cat "$PGPOOL_USER_HBA_FILE" >"$CONF_DIR/pool_hba.conf"
    write_passwords
    # A pid file from a killed container may contain the pid of another process.
    rm -f "$CONF_DIR/pool.pid" /var/run/postgresql/.s.PGSQL.*
    # pgpool's %m has no time zone. The log prefix contains UTC, so the zone must be UTC.
    export TZ=UTC
    local -a flags=(-n -f "$CONF_DIR/pgpool.conf" -a "$CONF_DIR/pool_hba.conf" -F "$CONF_DIR/pcp.conf" -k "$CONF_DIR/key")
    if is_yes "$discard_status"; then flags+=(-D); fi
    if [[ -s "$DATA_DIR/pgpool_status" ]]; then
        log "pgpool_status: $(tr '\n' ' ' <"$DATA_DIR/pgpool_status")(discarded: $discard_status)"
    fi
    log "starting pgpool, backends $backends"
    exec pgpool "${flags[@]}"
}

main "$@"
