# shellcheck shell=sh
# Asks PostgreSQL, the service $server of the project $project in folder $root; where $at is given, the one at that host:port. $user logs
# in to $db with the password in $password_file, if that has the digest $digest; then the superuser $admin is asked for $state, about
# $owner. What they say is base64, for much of it somebody else has written.

#include services/postgres/server.sh

# in the container: a line with the password, empty for none, then the statement
# shellcheck disable=SC2016 # the inner shell's own words
inside='
IFS= read -r PGPASSWORD
export PGPASSWORD PGCONNECT_TIMEOUT=5 PGREQUIREAUTH=scram-sha-256
login=$([ -z "$PGPASSWORD" ] || psql -X -A -t -w -h "$1" -p 5432 -U "$2" -d "$3" -c "SELECT current_user" 2>&1 </dev/null)
unset PGPASSWORD PGREQUIREAUTH
kind=told
said=$(psql -X -q -A -t -w -v ON_ERROR_STOP=1 -v owner="$4" -v db="$3" -U "$5" -d postgres 2>&1) || kind=denied
printf "login %s\n" "$(printf %s "$login" | base64 | tr -d "\n")"
printf "%s %s\n" "$kind" "$(printf %s "$said" | base64 | tr -d "\n")"'

address=$at container=
if [ -z "$address" ]; then
    found=$(server_container) || exit 1
    container=${found% *} address=${found#* }:5432
fi
asks=$(postgres_asks "$address" "$user" "$db")
printf 'asks%s\n' "${asks:+ $asks}"
[ -n "$container" ] || exit 0
# by SCRAM alone, which shows it to nobody: a client would send the password as it is to a server that asks for that
password=
if [ "$asks" = '82 10' ] && [ -n "$digest" ] && [ "$(sha256sum <"$root/$password_file" 2>/dev/null)" = "$digest  -" ]; then
    IFS= read -r password <"$root/$password_file"
fi
said=$(printf '%s\n%s\n' "$password" "$state" | timeout 20 docker exec --interactive "$container" sh -c "$inside" \
    ask "${address%:*}" "$user" "$db" "$owner" "$admin" 2>/dev/null | head -c 1048576)
[ -n "$said" ] && printf '%s\n' "$said"
