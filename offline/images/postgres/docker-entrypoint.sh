#!/usr/bin/env bash
# Starts PostgreSQL; on an empty data folder first makes the cluster, the user and the database that the environment
# asks for, and runs /docker-entrypoint-initdb.d on a server that listens on its socket only. Anything but `postgres` (or
# options for it) is run as it stands.
set -Eeuo pipefail

fail() {
    echo "error: $*" >&2
    exit 1
}

# Sets NAME from NAME, else from the file that NAME_FILE names, else to a default. Not exported: the server's own
# environment holds no password that came in a file.
setting() {
    local name=$1 file=${1}_FILE
    if [[ -n ${!name:-} && -n ${!file:-} ]]; then
        fail "$name and $file are both set: use one of them"
    elif [[ -n ${!file:-} ]]; then
        printf -v "$name" '%s' "$(< "${!file}")"
    else
        printf -v "$name" '%s' "${!name:-${2:-}}"
    fi
}

run_sql() {
    PGPASSWORD=$POSTGRES_PASSWORD psql --set ON_ERROR_STOP=1 --no-password --no-psqlrc --quiet \
        --host "${PGHOST:-/var/run/postgresql}" --username "$POSTGRES_USER" --dbname "$1" "${@:2}"
}

run_initial_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh)
                echo "running $file"
                # shellcheck source=/dev/null
                if [[ -x $file ]]; then "$file"; else . "$file"; fi ;;
            *.sql) echo "running $file"; run_sql "$POSTGRES_DB" --file "$file" ;;
            *.sql.gz) echo "running $file"; gunzip --stdout "$file" | run_sql "$POSTGRES_DB" ;;
            */\*) ;;
            *) echo "ignoring $file" ;;
        esac
    done
}

make_cluster() {
    if [[ -z $POSTGRES_PASSWORD && ${POSTGRES_HOST_AUTH_METHOD:-} != trust ]]; then
        fail "the database is not initialised and there is no superuser password: set POSTGRES_PASSWORD to a non-empty" \
            "value, or POSTGRES_PASSWORD_FILE (POSTGRES_HOST_AUTH_METHOD=trust lets everyone in without one)"
    fi
    local options=(--username "$POSTGRES_USER" --pgdata "$PGDATA")
    [[ -n ${POSTGRES_INITDB_WALDIR:-} ]] && options+=(--waldir "$POSTGRES_INITDB_WALDIR")
    eval 'initdb "${options[@]}" --pwfile <(printf "%s\n" "$POSTGRES_PASSWORD")' "$POSTGRES_INITDB_ARGS"
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
}

initialise() {
    setting POSTGRES_PASSWORD
    setting POSTGRES_USER postgres
    setting POSTGRES_DB "$POSTGRES_USER"
    setting POSTGRES_INITDB_ARGS
    make_cluster
    # The caller's own options hold already; only the address differs: nobody may find a half-made database over TCP.
    pg_ctl --pgdata "$PGDATA" --wait --options "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")" start
    if [[ $POSTGRES_DB != postgres ]]; then
        run_sql postgres --set database="$POSTGRES_DB" <<< 'CREATE DATABASE :"database";'
    fi
    export POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB PGPASSWORD=$POSTGRES_PASSWORD
    run_initial_files
    pg_ctl --pgdata "$PGDATA" --mode fast --wait stop
    echo "PostgreSQL initialised; ready to start"
}

[[ ${1:-} == -* ]] && set -- postgres "$@"
if [[ ${1:-} != postgres || " $* " == *" --help "* || " $* " == *" --version "* || " $* " == *" -V "* ]]; then
    exec "$@"
fi

if [[ $(id --user) == 0 ]]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    find "$PGDATA" ! -user postgres -exec chown postgres {} +
    chown postgres:postgres /var/run/postgresql
    chmod 3777 /var/run/postgresql
    HOME=/var/lib/postgresql exec setpriv --reuid postgres --regid postgres --init-groups "$BASH_SOURCE" "$@"
fi

mkdir -p "$PGDATA"
chmod 700 "$PGDATA" || true  # a bind mount may refuse; the server says so if it minds
if [[ ! -s $PGDATA/PG_VERSION ]]; then
    # In a shell of its own, so that what the scripts set does not reach the server.
    (shift; initialise "$@")
fi
exec "$@"
