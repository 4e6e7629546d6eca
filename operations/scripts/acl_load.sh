# shellcheck shell=bash
# Has the running redis of the stack in folder $1, project $2, read its ACL file again. A redis that does not run reads it when
# it starts; one that does not let its ACL be changed is restarted. With $3 = retired, the password of the newest backup must
# be refused afterwards.

root=$1
#include mutex.sh
#include redis_client.sh
#include former.sh

# a Docker that does not answer does not say that redis does not run
containers_of "$2" >/dev/null || {
    echo "Docker did not answer, so redis was not told of its new ACL file. Look whether Docker runs, then run the deploy again." >&2
    exit 1
}
address=$(redis_address "$2")
[ -n "$address" ] || exit 0

# what redis says to a password on standard input, and to a command
said() {
    { redis_auth default && printf '%s\r\nQUIT\r\n' "$1"; } | redis_say "$address" 6379 | tr -d '\r'
}

answer=$({ cat -- "$root/secrets/redis/password" 2>/dev/null || echo; } | said 'ACL LOAD')

# One that was started by somebody else reads no ACL file and lets nobody in with a password of the stack's: it accepts both in
# memory until it is started with the file. Where it lets nobody change what it accepts, that start does it alone.
case $answer in
-NOAUTH* | -WRONGPASS* | -ERR\ invalid* | -ERR\ AUTH* | *"not configured to use an ACL file"*)
    container=$(containers_of "$2" | awk -F '\t' '$2 == "redis" && $3 == "running" { print $1; exit }')
    hashes=$(grep -o '#[0-9a-f]*' "$root/secrets/redis/users.acl" | tr '\n' ' ')
    while IFS='	' read -r _ password; do
        again=$(printf '%s\n' "$password" | said 'ACL LOAD')
        case $again in
        +OK*"not configured to use an ACL file"*)
            printf '%s\n' "$password" | said "ACL SETUSER default $hashes" >/dev/null
            exit 0
            ;;
        +OK*)
            answer=$again
            break
            ;;
        esac
    done < <(former "$root" "$2" "$container" 2>/dev/null)
    # one that wants no password is asked by nobody
    case $answer in -ERR\ AUTH*"not configured to use an ACL file"*) exit 0 ;; esac
    ;;
esac

# the former password, as redis itself answers to it
refused() {
    # by the backup's name alone: a second one of the same second ends in -2, and a slash sorts behind that
    former=$(find "$root"/backups/[0-9]* -path '*/secrets/redis/password' 2>/dev/null | sed 's#/secrets/redis/password$##' | sort | tail -n 1)
    former=${former:+$former/secrets/redis/password}
    [ "$1" = retired ] && [ -n "$former" ] && ! cmp -s "$former" "$root/secrets/redis/password" || return 0
    case $({ redis_auth default <"$former"; printf 'PING\r\nQUIT\r\n'; } | redis_say "$address" 6379) in
    -WRONGPASS* | -NOAUTH*) return 0 ;;
    esac
    echo "redis still accepts the former password (that of $former), though its ACL file no longer has it." >&2
    return 1
}

case $answer in
"+OK
+OK
+OK"*)
    refused "$3"
    exit
    ;;
*-NOPERM*)
    container=$(docker ps --quiet --filter "label=com.docker.compose.project=$2" --filter label=com.docker.compose.service=redis)
    before=$(date +%s%N)
    docker restart --time 30 "$container" >/dev/null || exit 1
    until address=$(redis_address "$2") && [ -n "$address" ] &&
        printf 'PING\r\nQUIT\r\n' | redis_say "$address" 6379 2>/dev/null | grep -q NOAUTH; do
        if [ $((($(date +%s%N) - before) / 1000000000)) -ge 60 ]; then
            echo "redis was restarted, for it does not let its ACL be changed, and has not answered for 60 s since." \
                "Read \`docker compose logs redis\` in $root, then run the deploy again." >&2
            exit 1
        fi
        sleep 0.05
    done
    echo "restarted redis, which does not let its ACL be changed: away for $((($(date +%s%N) - before) / 1000000)) ms"
    refused "$3"
    exit
    ;;
esac
{
    echo "redis did not read its ACL file again: it answered \"$(echo "$answer" | grep '^-' | head -n 1)\"."
    echo "The file $root/secrets/redis/users.acl is as wanted; run \`docker compose restart redis\` in $root, then the deploy again."
} >&2
exit 1
