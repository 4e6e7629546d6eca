# shellcheck shell=bash
# Changes what redis of the stack in folder $1, project $2, takes from its users, in memory: it reads them from a Compose secret when
# it starts. $3 logs in, with the password in the file $4. Standard input: user, blank, +<SHA-256> to accept or -<SHA-256> to refuse.

root=$1
#include mutex.sh
#include redis_client.sh
#include redis_login.sh

address=$(redis_address "$2")
[ -n "$address" ] || exit 0
container=$(containers_of "$2" | awk -F '\t' '$2 == "redis" && $3 == "running" { print $1; exit }')
redis_login "$root" "$2" "$container" "$address" "$3" "$4" || {
    echo "redis lets $3 not in with a password that is on this host. Nothing was changed." >&2
    exit 1
}
answer=$({
    printf '%s' "$login"
    while read -r user hash; do
        case $hash in
        +*) printf 'ACL SETUSER %s #%s\r\n' "$user" "${hash#+}" ;;
        -*) printf 'ACL SETUSER %s !%s\r\n' "$user" "${hash#-}" ;;
        esac
    done
    printf 'QUIT\r\n'
} | redis_say "$address" 6379 | tr -d '\r')
# refusing what is refused already is no failure
case $(printf '%s\n' "$answer" | grep '^-' | grep -v 'Password not found') in
"") ;;
*)
    echo "redis did not change what it accepts: $(printf '%s\n' "$answer" | grep -m 1 '^-')" >&2
    exit 1
    ;;
esac
