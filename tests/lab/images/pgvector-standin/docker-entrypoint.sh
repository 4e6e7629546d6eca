#!/bin/bash
# What the original does, as far as its environment goes: POSTGRES_USER, _PASSWORD, _PASSWORD_FILE, _DB, _INITDB_ARGS and
# _HOST_AUTH_METHOD, all of which count at the first start alone. It starts as root and goes on as postgres.
set -e

if [ "$1" != postgres ]; then exec "$@"; fi

if [ -n "$POSTGRES_PASSWORD" ] && [ -n "$POSTGRES_PASSWORD_FILE" ]; then
    echo "error: both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set (but are exclusive)" >&2
    exit 1
fi
if [ -n "$POSTGRES_PASSWORD_FILE" ]; then POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE"); fi
unset POSTGRES_PASSWORD_FILE
export POSTGRES_PASSWORD POSTGRES_USER="${POSTGRES_USER:-postgres}"
export POSTGRES_DB="${POSTGRES_DB:-$POSTGRES_USER}"

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chmod 0700 "$PGDATA"
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    chown postgres:postgres /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups --reset-env env \
        HOME=/var/lib/postgresql PATH="$PATH" PGDATA="$PGDATA" LANG="$LANG" POSTGRES_USER="$POSTGRES_USER" POSTGRES_DB="$POSTGRES_DB" \
        POSTGRES_PASSWORD="$POSTGRES_PASSWORD" POSTGRES_INITDB_ARGS="$POSTGRES_INITDB_ARGS" \
        POSTGRES_HOST_AUTH_METHOD="$POSTGRES_HOST_AUTH_METHOD" "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        exit 1
    fi
    # shellcheck disable=SC2086 # words
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") $POSTGRES_INITDB_ARGS
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    # only over its socket
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    psql=(psql --username "$POSTGRES_USER" --no-psqlrc --no-password -v ON_ERROR_STOP=1)
    if [ "$POSTGRES_DB" != postgres ]; then
        "${psql[@]}" --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ ! -f "$file" ] || "${psql[@]}" --dbname "$POSTGRES_DB" --file "$file"
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    echo 'PostgreSQL init process complete; ready for start up.'
fi
unset POSTGRES_PASSWORD
exec "$@"
