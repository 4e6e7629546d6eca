# shellcheck shell=sh
# Has PostgreSQL, the service $server of the project $project in folder $root, carry out $statements, as its superuser $admin: all of
# them, or none but those before the one that fails.

#include lib/mutex.sh
#include services/postgres/server.sh

take_mutex
container=$(server_container) || {
    echo "$server does not run, so who may log in was not changed. Look at \`docker compose logs $server\` in $root, then run again." >&2
    exit 1
}
said=$(printf '%s' "$statements" | timeout 120 docker exec --interactive "${container% *}" \
    psql -X -q -w -v ON_ERROR_STOP=1 -U "$admin" -d postgres 2>&1) && exit 0
# what PostgreSQL complains about it quotes
echo "$server did not change who may log in: $(printf '%s' "$said" | sed 's/SCRAM-SHA-256[^ ]*/***/g' | head -c 500 | tr '\n' ' ')" >&2
exit 1
