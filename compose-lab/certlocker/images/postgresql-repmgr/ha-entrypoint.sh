#!/usr/bin/env bash
# Entry point of the PostgreSQL node: creates or joins the replication pair. It runs
# PostgreSQL in the background; the container ends when repmgrd ends.
#
# As in the reference image, PostgreSQL is not restarted here. If it dies, repmgrd
# tries RECONNECT_ATTEMPTS times, goes into degraded monitoring, and exits after
# DEGRADED_MONITORING_TIMEOUT. The container exits with it, and the restart policy
# starts it again. By then the partner is promoted, and this node becomes its standby.
#
# The name of this file must not contain "postgres" or "repmgrd": drills use
# `pkill -9 postgres` inside the container, and must hit the database only.
set -uo pipefail

# shellcheck source-path=SCRIPTDIR source=ha-lib.sh
source "${HA_LIB:-/usr/local/lib/ha-lib.sh}"

PG_BIN=/usr/lib/postgresql/17/bin
CONF_DIR=/run/ha
TLS_DIR=/run/ha/tls
SOCKET_DIR=/var/run/postgresql
EXTRA_CONF_DIR=/bitnami/postgresql/conf/conf.d
# After a start as primary, the partners are watched for this time: one of them may
# have been promoted at the same moment.
DUAL_PRIMARY_GUARD_SECONDS=15

POSTGRES_PID=""
REPMGRD_PID=""

# --- preparations as root, then switch to the postgres user ------------------------

prepare_as_root() {
    install -d -o postgres -g postgres -m 0755 "$CONF_DIR" "$SOCKET_DIR" "$POSTGRESQL_VOLUME_DIR" "$EXTRA_CONF_DIR"
    install -d -o postgres -g postgres -m 0700 "$POSTGRESQL_DATA_DIR" "$TLS_DIR"
    if [[ "$(stat -c %U "$POSTGRESQL_DATA_DIR"/PG_VERSION 2>/dev/null || echo postgres)" != postgres ]]; then
        chown -R postgres:postgres "$POSTGRESQL_DATA_DIR"
    fi
    if is_yes "$POSTGRESQL_ENABLE_TLS"; then
        # Copies, because the mounted key may belong to root with mode 0600, and
        # PostgreSQL insists on a key of its own user.
        install -o postgres -g postgres -m 0644 "$POSTGRESQL_TLS_CERT_FILE" "$TLS_DIR/server.crt"
        install -o postgres -g postgres -m 0600 "$POSTGRESQL_TLS_KEY_FILE" "$TLS_DIR/server.key"
        if [[ -n "$POSTGRESQL_TLS_CA_FILE" ]]; then
            install -o postgres -g postgres -m 0644 "$POSTGRESQL_TLS_CA_FILE" "$TLS_DIR/ca.crt"
        fi
    fi
    export HOME=/var/lib/postgresql
    # Docker's output pipes belong to root. PostgreSQL inherits them open, so it can
    # write to them.
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
}

# --- PostgreSQL, repmgr --------------------------------------------------------------

start_postgres() {
    # A pid file from a killed container may contain the pid of another process. No
    # other PostgreSQL runs in this container.
    rm -f "$POSTGRESQL_DATA_DIR/postmaster.pid"
    # shellcheck disable=SC2086 # EXTRA_FLAGS is a list of words
    "$PG_BIN/postgres" -D "$POSTGRESQL_DATA_DIR" -c "config_file=$CONF_FILE" -c "hba_file=$HBA_FILE" $POSTGRESQL_EXTRA_FLAGS &
    POSTGRES_PID=$!
    disown "$POSTGRES_PID" # no "Killed" from bash: PostgreSQL and repmgrd log it
    local i
    for ((i = 0; i < POSTGRESQL_PGCTLTIMEOUT * 5; i++)); do
        kill -0 "$POSTGRES_PID" 2>/dev/null || { log "PostgreSQL exited while starting"; return 1; }
        pg_isready -q -h "$SOCKET_DIR" -p "$POSTGRESQL_PORT_NUMBER" && return 0
        pause 0.2
    done
    log "PostgreSQL did not accept connections within ${POSTGRESQL_PGCTLTIMEOUT} s"
    return 1
}

pause() {
    sleep "$1" &
    wait "$!"
}

# Stops PostgreSQL within 8 s (Docker kills after 10): fast, then immediate.
stop_postgres() {
    [[ -n "$POSTGRES_PID" ]] && kill -0 "$POSTGRES_PID" 2>/dev/null || return 0
    log "stopping PostgreSQL ($POSTGRESQL_SHUTDOWN_MODE)"
    "$PG_BIN/pg_ctl" -D "$POSTGRESQL_DATA_DIR" -m "$POSTGRESQL_SHUTDOWN_MODE" -t 7 -s stop >&2 ||
        "$PG_BIN/pg_ctl" -D "$POSTGRESQL_DATA_DIR" -m immediate -t 2 -s stop >&2
    POSTGRES_PID=""
}

# shellcheck disable=SC2317 # called by trap
on_signal() {
    trap '' TERM INT
    log "stop requested"
    if [[ -n "$REPMGRD_PID" ]]; then
        # CONT first: a stopped repmgrd would keep its SIGTERM pending.
        kill -TERM "$REPMGRD_PID" 2>/dev/null
        kill -CONT "$REPMGRD_PID" 2>/dev/null
    fi
    stop_postgres
    exit 0
}

repmgr_run() {
    bounded 60 "$PG_BIN/repmgr" -f "$REPMGR_CONF" --log-level INFO "$@"
}

# --- the ways to become a member ------------------------------------------------------

# The marker file exists while the data directory is being created. If the container
# is killed meanwhile, the next start finds the marker and begins again.
begin_incomplete() {
    echo "$1" >"$INCOMPLETE"
    sync "$INCOMPLETE"
}

end_incomplete() {
    sync -f "$POSTGRESQL_DATA_DIR"
    rm -f "$INCOMPLETE"
}

empty_data_directory() {
    find "$POSTGRESQL_DATA_DIR" -mindepth 1 -delete
    chmod 0700 "$POSTGRESQL_DATA_DIR"
}

# psql reads the passwords from the environment (\getenv), so they are in no argument
# list, and need no quoting.
create_users_and_databases() {
    {
        cat <<'SQL'
\getenv app_user POSTGRESQL_USERNAME
\getenv app_password POSTGRESQL_PASSWORD
\getenv app_db POSTGRESQL_DATABASE
\getenv super_password POSTGRESQL_POSTGRES_PASSWORD
\getenv ha_user REPMGR_USERNAME
\getenv ha_password REPMGR_PASSWORD
\getenv ha_db REPMGR_DATABASE
-- repmgr needs a superuser: it promotes, reads replication state, and rewinds. repmgrd and pgpool log in as this role more
-- than twice a second, and each iteration costs the client CPU. Iterations protect a stolen hash of a weak password. A random
-- password needs only one iteration.
SET scram_iterations = 1;
CREATE ROLE :"ha_user" LOGIN SUPERUSER REPLICATION PASSWORD :'ha_password';
RESET scram_iterations;
ALTER ROLE :"ha_user" SET search_path TO repmgr, "$user", public;
CREATE DATABASE :"ha_db" OWNER :"ha_user";
SQL
        if [[ -n "$POSTGRESQL_POSTGRES_PASSWORD" ]]; then
            echo "ALTER ROLE postgres PASSWORD :'super_password';"
        fi
        if [[ "$REPMGR_NODE_TYPE" == data && "$POSTGRESQL_USERNAME" != postgres ]]; then
            echo "CREATE ROLE :\"app_user\" LOGIN CREATEDB PASSWORD :'app_password';"
        fi
        if [[ "$REPMGR_NODE_TYPE" == data && "$POSTGRESQL_DATABASE" != postgres ]]; then
            echo "CREATE DATABASE :\"app_db\" OWNER :\"app_user\";"
        fi
    } | bounded 30 psql -Xq -v ON_ERROR_STOP=1 -h "$SOCKET_DIR" -p "$POSTGRESQL_PORT_NUMBER" -U postgres -d postgres
}

# Creates a new cluster. The marker is removed only after users and databases exist.
initialise() {
    log "initialising a new cluster"
    begin_incomplete init
    empty_data_directory
    # shellcheck disable=SC2086 # INITDB_ARGS is a list of words
    bounded 60 "$PG_BIN/initdb" -D "$POSTGRESQL_DATA_DIR" -U postgres -E UTF8 --locale=C.UTF-8 \
        --auth-local=peer --auth-host=scram-sha-256 $POSTGRESQL_INITDB_ARGS >&2 || die "initdb failed"
    start_postgres || die "the new cluster did not start"
    create_users_and_databases || die "users and databases could not be created"
    end_incomplete
}

# Waits until the primary has registered itself, and sets UPSTREAM_ID. At the first
# start the primary accepts logins a moment earlier. Right after a promotion its record
# is still "standby".
await_primary_record() {
    local i
    for ((i = 0; i < 60; i++)); do
        UPSTREAM_ID=$(ask "$PRIMARY" "SELECT node_id FROM repmgr.nodes WHERE type = 'primary' AND active AND strpos(conninfo || ' ', 'host=${PRIMARY%:*} ') > 0")
        [[ -z "$UPSTREAM_ID" ]] || return 0
        pause 0.5
    done
    log "$PRIMARY did not register itself as primary within 30 s"
    return 1
}

# Clones the primary. repmgr creates the slot on the primary, and standby.signal.
clone_from_primary() {
    await_primary_record || die "not cloning from $PRIMARY"
    log "cloning from the primary $PRIMARY"
    begin_incomplete clone
    empty_data_directory
    # The replication user logs in through PGPASSFILE, so no password is passed.
    bounded 300 "$PG_BIN/repmgr" -f "$REPMGR_CONF" --log-level INFO \
        -h "${PRIMARY%:*}" -p "${PRIMARY##*:}" -U "$REPMGR_USERNAME" -d "$(node_conninfo "${PRIMARY%:*}" "${PRIMARY##*:}")" \
        standby clone --fast-checkpoint || die "clone failed; the next start begins again"
    set_upstream
    end_incomplete
}

# Points replication at $PRIMARY. repmgr's own settings differ between clone, rejoin,
# and follow, so this function always writes them.
set_upstream() {
    local conninfo auto_conf=$POSTGRESQL_DATA_DIR/postgresql.auto.conf password
    if [[ "$REPMGR_USE_PASSFILE" == true ]]; then
        password="passfile=$(conninfo_quote "$REPMGR_PASSFILE_PATH")"
    else
        password="password=$(conninfo_quote "$REPMGR_PASSWORD")"
    fi
    conninfo="host=${PRIMARY%:*} port=${PRIMARY##*:} user=$(conninfo_quote "$REPMGR_USERNAME") $password application_name=$(conninfo_quote "$REPMGR_NODE_NAME") connect_timeout=$REPMGR_CONNECT_TIMEOUT $(tls_conninfo)"
    {
        grep -vE '^[[:space:]]*(primary_conninfo|primary_slot_name)[[:space:]]*=' "$auto_conf" 2>/dev/null
        # In the file, quotes and backslashes are doubled.
        conninfo=${conninfo//\\/\\\\}
        printf "primary_conninfo = '%s'\n" "${conninfo//\'/\'\'}"
        is_yes "$REPMGR_USE_REPLICATION_SLOTS" && printf "primary_slot_name = '%s'\n" "$SLOT_NAME"
    } >"$auto_conf.new"
    chmod 0600 "$auto_conf.new"
    mv "$auto_conf.new" "$auto_conf"
    touch "$POSTGRESQL_DATA_DIR/standby.signal"
    is_yes "$REPMGR_USE_REPLICATION_SLOTS" || return 0
    ask "$PRIMARY" "SELECT pg_create_physical_replication_slot('$SLOT_NAME', true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$SLOT_NAME')" >/dev/null ||
        log "could not create the slot $SLOT_NAME on $PRIMARY"
}

# Makes an old primary a standby of the new one without a full copy. pg_rewind first
# does the crash recovery of this node (single-user mode).
rewind_to_primary() {
    log "rewinding to the primary $PRIMARY"
    # Straight after a promotion the new timeline is not yet in the primary's
    # control file, which pg_rewind reads: a checkpoint puts it there.
    ask "$PRIMARY" CHECKPOINT >/dev/null || log "CHECKPOINT on $PRIMARY failed; rewinding anyway"
    begin_incomplete rewind
    rm -f "$POSTGRESQL_DATA_DIR/postmaster.pid"
    bounded 120 "$PG_BIN/pg_rewind" -D "$POSTGRESQL_DATA_DIR" --config-file="$CONF_FILE" \
        --source-server="$(node_conninfo "${PRIMARY%:*}" "${PRIMARY##*:}" postgres)" >&2 || return 1
    set_upstream
    end_incomplete
}

# Starts as a standby of $PRIMARY and makes sure that WAL flows.
start_standby() {
    start_postgres || return 1
    # Slots from this node's time as primary would keep its WAL without limit.
    local_sql "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND slot_type = 'physical'" >/dev/null
    local i
    for ((i = 0; i < 40; i++)); do
        if [[ "$(local_sql "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")" == 1 ]]; then
            log "streaming from $PRIMARY"
            return 0
        fi
        pause 0.5
    done
    log "no streaming from $PRIMARY within 20 s"
    return 1
}

register_standby() {
    await_primary_record || return 1
    repmgr_run standby register --force --upstream-node-id="$UPSTREAM_ID" --wait-sync=15
}

# The timeline in this node's control file.
own_timeline() {
    LC_ALL=C "$PG_BIN/pg_controldata" -D "$POSTGRESQL_DATA_DIR" | sed -n "s/^Latest checkpoint's TimeLineID: *//p"
}

join_as_standby() {
    if [[ "$1" == rewind ]] && (($(own_timeline) > PRIMARY_TIMELINE)); then
        # The partner started alone as primary, while this node, which was promoted
        # later, was down. The reference also joins then, without a warning.
        log "WARNING: our timeline $(own_timeline) is later than $PRIMARY's $PRIMARY_TIMELINE: data written here since the promotion is lost"
    fi
    if [[ "$1" == rewind ]] && is_yes "$REPMGR_USE_PGREWIND"; then
        rewind_to_primary && start_standby && return 0
        log "rewinding failed"
        stop_postgres
        [[ -e "$INCOMPLETE" ]] || survey
    elif [[ "$1" == follow ]]; then
        set_upstream
        start_standby && return 0
        stop_postgres
        survey
    fi
    # The data is deleted only if a primary answers now.
    [[ -n "$PRIMARY" ]] || survey
    [[ -n "$PRIMARY" ]] || die "no primary to clone from"
    clone_from_primary
    start_standby
}

# --- roles -------------------------------------------------------------------------------

wait_for_primary() {
    local deadline=$((SECONDS + $1))
    while ((SECONDS < deadline)); do
        survey
        [[ -z "$PRIMARY" ]] || return 0
        pause 1
    done
    return 1
}

# The partner may be promoted while this node starts as primary: it checked this node
# just before this node answered. So for the first seconds this node checks its
# partners, and yields to the later timeline. This does not protect against a partition.
guard_against_dual_primary() {
    local end=$((SECONDS + DUAL_PRIMARY_GUARD_SECONDS)) mine
    while ((SECONDS < end)); do
        sleep 1
        survey
        [[ -n "$PRIMARY" ]] || continue
        mine=$(local_sql -d "$REPMGR_DATABASE" "$(role_sql "$REPMGR_NODE_NETWORK_NAME")" | cut -d'|' -f2)
        if ((PRIMARY_TIMELINE > ${mine:-0})) || { ((PRIMARY_TIMELINE == ${mine:-0})) && [[ "$PRIMARY" < "$REPMGR_NODE_NETWORK_NAME:$REPMGR_PORT_NUMBER" ]]; }; then
            log "$PRIMARY is also primary (timeline $PRIMARY_TIMELINE, ours ${mine:-?}): yielding"
            kill -TERM "$$"
            return
        fi
    done
}

be_primary() {
    if [[ -z "$POSTGRES_PID" ]]; then
        start_postgres || die "PostgreSQL did not start"
    fi
    repmgr_run primary register --force || die "registration as primary failed"
    guard_against_dual_primary &
}

be_witness() {
    [[ -n "$POSTGRES_PID" ]] || start_postgres || die "PostgreSQL did not start"
    wait_for_primary "$POSTGRESQL_INIT_MAX_TIMEOUT" || die "no primary to witness"
    repmgr_run -h "${PRIMARY%:*}" -p "${PRIMARY##*:}" witness register --force || die "registration as witness failed"
}

become_member() {
    local have_data=no was=nothing
    if [[ -e "$INCOMPLETE" ]]; then
        log "the last start was interrupted during: $(<"$INCOMPLETE"); its data directory is not used"
    elif [[ -s "$POSTGRESQL_DATA_DIR/PG_VERSION" ]]; then
        have_data=yes
        # Promotion removes standby.signal, so the directory shows the last role.
        if [[ -e "$POSTGRESQL_DATA_DIR/standby.signal" ]]; then was=standby; else was=primary; fi
    fi

    if [[ "$REPMGR_NODE_TYPE" == witness ]]; then
        [[ $have_data == yes ]] || initialise
        be_witness
        return
    fi

    survey
    log "was: $was; partner primary: ${PRIMARY:-none}; partners answering as standby: $STANDBYS_SEEN"

    if [[ $have_data == no ]]; then
        if [[ -z "$PRIMARY" && "$REPMGR_PRIMARY_HOST" == "$REPMGR_NODE_NETWORK_NAME" && $STANDBYS_SEEN -eq 0 ]]; then
            initialise
            be_primary
            return
        fi
        # A standby without a primary may soon be promoted. So wait for it: a second
        # cluster would be wrong.
        log "waiting up to ${POSTGRESQL_INIT_MAX_TIMEOUT} s for a primary"
        wait_for_primary "$POSTGRESQL_INIT_MAX_TIMEOUT" || die "no primary within ${POSTGRESQL_INIT_MAX_TIMEOUT} s"
        join_as_standby clone || die "could not join $PRIMARY"
        register_standby || die "registration as standby failed"
    elif [[ -n "$PRIMARY" ]]; then
        if [[ $was == primary ]]; then
            join_as_standby rewind || die "could not join $PRIMARY"
        else
            join_as_standby follow || die "could not join $PRIMARY"
        fi
        register_standby || die "registration as standby failed"
    elif [[ $was == primary ]]; then
        log "no other primary: starting as primary, as before"
        be_primary
    else
        # PostgreSQL serves reads meanwhile. repmgrd cannot start without an upstream, so
        # this node cannot be promoted before it has seen a primary.
        log "no primary found: starting as standby and waiting up to ${POSTGRESQL_INIT_MAX_TIMEOUT} s for one"
        start_postgres || die "PostgreSQL did not start"
        wait_for_primary "$POSTGRESQL_INIT_MAX_TIMEOUT" || { stop_postgres; die "no primary within ${POSTGRESQL_INIT_MAX_TIMEOUT} s"; }
        register_standby || { stop_postgres; die "registration as standby failed"; }
    fi
}

main() {
    load_settings
    check_settings
    if ((EUID == 0)); then
        prepare_as_root "$@"
    fi
    trap on_signal TERM INT
    find_partners
    write_configuration
    become_member

    log "starting repmgrd"
    # No pid file: after a restart its pid may belong to another process, and repmgrd
    # would refuse to start.
    "$PG_BIN/repmgrd" -f "$REPMGR_CONF" --daemonize=false --no-pid-file &
    REPMGRD_PID=$!
    local code
    wait "$REPMGRD_PID"
    code=$?
    log "repmgrd exited with code $code; the container ends with it"
    REPMGRD_PID=""
    stop_postgres
    exit "$((code == 0 ? 1 : code))"
}

main "$@"
