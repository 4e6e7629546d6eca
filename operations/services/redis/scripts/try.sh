# shellcheck shell=sh
# Asks redis, the service $server of the project $project in folder $root, that does not let in with the login in $password_file: with
# each password that was found on the host, until one is right. Before its answers: `found`, the place in base64, the password's
# SHA-256; or `nowhere`. $users, each of whom is tried, and $dry: as ask.sh has them.

#include services/redis/login.sh

found=$(server_container) || exit 1
container=${found% *} address=${found#* }:6379
logins=$(redis_logins "$container")
# which of them is right: as many as were refused before it, and one
right=$({
    [ -z "$logins" ] || printf '%s\n' "$logins" | while IFS='	' read -r _ name password; do
        redis_auth "$name" "$password"
        printf '%sPING\r\n' "$login"
    done
    printf 'QUIT\r\n'
} | redis_say "$address" | awk '/^-NOAUTH/ { refused++ } /^\+PONG/ { print refused + 1; exit }')
redis_auth_in "$root/$password_file"
if [ -n "$right" ]; then
    IFS='	' read -r place name password <<END
$(printf '%s\n' "$logins" | sed -n "${right}p")
END
    redis_auth "$name" "$password"
    hash=$(printf '%s' "$password" | sha256sum)
    printf 'found %s %s\n' "$(printf '%s' "$place" | base64 -w 0)" "${hash%% *}"
else
    echo nowhere
fi
redis_questions "$address"
