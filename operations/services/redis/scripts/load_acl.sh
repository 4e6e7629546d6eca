# shellcheck shell=bash
# Has redis, the service $server of the project $project in folder $root, read its ACL file $folder/users.acl again. One that does not
# run reads it when it starts; one that does not let its ACL be changed is restarted. Where $retired is yes, the password of the
# newest backup must be refused afterwards.

#include lib/mutex.sh
#include lib/clock.sh
#include services/redis/login.sh

take_mutex
password_file=$folder/password user=default
# a Docker that does not answer does not say that redis does not run
containers_of >/dev/null || {
    echo "Docker did not answer, so redis did not get its new ACL file. Look whether Docker runs, then run the deploy again." >&2
    exit 1
}
read -r container address < <(redis_container)
[ -n "$address" ] || exit 0
address=$address:6379

# what redis says to a password on standard input, and to a command
said() {
    { redis_auth default && printf '%s\r\nQUIT\r\n' "$1"; } | redis_say "$address" | tr -d '\r\0'
}

answer=$(password_of | said 'ACL LOAD')

# One that was started by somebody else reads no ACL file and lets nobody in with a password of the stack's: it accepts both in
# memory until it is started with the file. Where it lets nobody change what it accepts, that start does it alone.
case $answer in
-NOAUTH* | -WRONGPASS* | -ERR\ invalid* | -ERR\ AUTH* | *"not configured to use an ACL file"*)
    hashes=$(awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^#[0-9a-f]+$/) printf "%s ", $i }' "$root/$folder/users.acl")
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
    done < <(passwords_found "$container" | head -n 50)
    # one that wants no password is asked by nobody
    case $answer in -ERR\ AUTH*"not configured to use an ACL file"*) exit 0 ;; esac
    ;;
esac

# the previous password, as redis itself answers to it
refused() {
    [ "$retired" = yes ] || return 0
    # by the backup's name alone: a second one of the same second ends in -2, and a slash sorts behind that
    previous=$(find "$root"/backups/[0-9]* -path "*/$folder/password" 2>/dev/null | sed "s#/$folder/password\$##" | sort | tail -n 1)
    previous=${previous:+$previous/$folder/password}
    [ -n "$previous" ] && ! cmp -s "$previous" "$root/$folder/password" || return 0
    case $({ redis_auth default <"$previous"; printf 'PING\r\nQUIT\r\n'; } | redis_say "$address") in
    -WRONGPASS* | -NOAUTH*) return 0 ;;
    esac
    echo "redis still accepts the previous password (that of $previous), though its ACL file no longer has it." >&2
    return 1
}

case $answer in
"+OK
+OK
+OK"*)
    refused
    exit
    ;;
*-NOPERM*)
    clock
    before=$ms
    docker restart --time 30 "$container" >/dev/null || exit 1
    until unset fleet_containers && read -r _ address < <(redis_container) && [ -n "$address" ] && address=$address:6379 &&
        printf 'PING\r\nQUIT\r\n' | redis_say "$address" | grep -q NOAUTH; do
        clock
        if [ $((ms - before)) -ge 60000 ]; then
            echo "redis was restarted, because it does not let its ACL be changed, and has not answered for 60 s since." \
                "Read \`docker compose logs $server\` in $root, then run the deploy again." >&2
            exit 1
        fi
        sleep 0.05
    done
    clock
    echo "restarted redis, which does not let its ACL be changed: away for $((ms - before)) ms"
    refused
    exit
    ;;
esac
{
    echo "redis did not read its ACL file again: it answered \"$(echo "$answer" | grep '^-' | head -n 1)\"."
    echo "The file $root/$folder/users.acl is as desired; run \`docker compose restart $server\` in $root, then the deploy again."
} >&2
exit 1
