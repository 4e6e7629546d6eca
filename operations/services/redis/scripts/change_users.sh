# shellcheck shell=bash
# Changes what redis, the service $server of the project $project in folder $root, takes from its users, in memory: it reads them from
# a Compose secret when it starts. $user logs in, with the password in $password_file. $changes: user, blank, +<SHA-256> to accept
# or -<SHA-256> to refuse.

#include lib/mutex.sh
#include services/redis/login.sh

hold_mutex
read -r container address < <(redis_container)
[ -n "$address" ] || exit 0
redis_login "$container" "$address:6379" || {
    echo "redis rejects user $user with every password found on this host. Nothing was changed." >&2
    exit 1
}
answer=$({
    printf '%s' "$login"
    printf '%s\n' "$changes" | while read -r name hash; do
        case $hash in
        +*) printf 'ACL SETUSER %s #%s\r\n' "$name" "${hash#+}" ;;
        -*) printf 'ACL SETUSER %s !%s\r\n' "$name" "${hash#-}" ;;
        esac
    done
    printf 'QUIT\r\n'
} | redis_say "$address:6379" | tr -d '\r\0')
# refusing what is refused already is no failure
case $(printf '%s\n' "$answer" | grep '^-' | grep -v 'Password not found') in
"") ;;
*)
    echo "redis did not change what it accepts: $(printf '%s\n' "$answer" | grep -m 1 '^-')" >&2
    exit 1
    ;;
esac
