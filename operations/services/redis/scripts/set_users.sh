# shellcheck shell=bash
# Has redis, the service $server of the project $project in folder $root, take $changes: a user and rules each, as ACL SETUSER has
# them. (ACL LOAD would end the connections of all users but `default` in redis 7.0; this ends none.) Where $only is yes, redis refuses
# every user that is not among them. One that does not run reads its ACL file when it starts; one that does not let itself be changed is
# restarted where $restart is yes. Who logs in: $password_file and $users, as ask.sh has them.
# Where $retired is yes, the login of the newest backup must be refused afterwards.

#include lib/mutex.sh
#include lib/clock.sh
#include services/redis/login.sh

take_mutex
# a Docker that does not answer does not say that redis does not run
list_containers || {
    echo "Docker did not answer, so redis was not told what to accept. Look whether Docker runs, then run the deploy again." >&2
    exit 1
}
read -r container address < <(server_container)
[ -n "$address" ] || exit 0
address=$address:6379

# the users that redis has and that are not among $changes
others() {
    redis_command ACL USERS | awk 'NR % 2' | sed 1d | grep -vxFf <(printf '%s\n' "$changes" | cut -d ' ' -f 1)
}

# what redis says to all that is to be done: a line for each, and one to QUIT
said() {
    {
        printf '%s' "$login"
        printf '%s\n' "$changes" | while IFS= read -r words; do [ -z "$words" ] || printf 'ACL SETUSER %s\r\n' "$words"; done
        printf '%s\n' "$refuse" | while IFS= read -r name; do [ -z "$name" ] || redis_words ACL SETUSER "$name" off resetpass; done
        printf 'QUIT\r\n'
    } | redis_say "$address" | tr -d '\r\0' | sed 1d
}

# the previous login, as redis itself answers to it
refused() {
    [ "$retired" = yes ] || return 0
    # by the backup's name alone: a second one of the same second ends in -2, and a slash sorts behind that
    previous=$(find "$root"/backups/[0-9]* -path "*/$password_file" 2>/dev/null | sed "s#/$password_file\$##" | sort | tail -n 1)
    previous=${previous:+$previous/$password_file}
    [ -n "$previous" ] && ! cmp -s "$previous" "$root/$password_file" || return 0
    case $(redis_auth_in "$previous" && printf '%sPING\r\nQUIT\r\n' "$login" | redis_say "$address") in
    -WRONGPASS* | -NOAUTH*) return 0 ;;
    esac
    echo "redis still accepts the previous password (that of $previous), though it was told to refuse it." >&2
    return 1
}

redis_login "$container" "$address" || {
    why=${greeting:+rejects every password found on this host}
    echo "redis ${why:-did not answer}, so it was not told what to accept. Read \`docker compose logs $server\` in $root." >&2
    exit 1
}
case $greeting in
# one that wants no password and reads no file is asked by nobody: it goes on as it is until it is started with ours
"-ERR AUTH"*) [ -n "$(redis_command CONFIG GET aclfile | tail -n 1)" ] || exit 0 ;;
esac
refuse=$([ -z "$only" ] || others)
answer=$(said)
# refusing what is refused already is no failure
well=$(printf '%s\n' "$answer" | grep -c -e '^+OK$' -e 'password you are trying to remove')
if [ "$well" -gt "$(printf '%s\n' "$changes" "$refuse" | grep -c .)" ]; then
    refused
    exit
fi
case $restart$answer in
yes*-NOPERM*)
    clock
    before=$ms
    docker restart --time 30 "$container" >/dev/null || exit 1
    until unset fleet_containers && read -r _ address < <(server_container) && [ -n "$address" ] && address=$address:6379 &&
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
echo "redis did not take what it should accept: it answered \"$(printf '%s\n' "$answer" | grep -m 1 '^-')\"." \
    "Read \`docker compose logs $server\` in $root, then run the deploy again." >&2
exit 1
