#include services/redis/client.sh

# All that a snapshot wants to know of redis at the address $1 (host:port): what it says to $login, and about each user and command of
# $dry, which it does not run; base64, for much of it somebody else has written. Its order is that of the fact that reads it.
redis_questions() {
    answers=$({
        printf 'PING\r\n%s' "$login"
        printf '%s\r\n' PING 'CONFIG GET dir' 'ACL LIST' 'CLIENT INFO' 'CLIENT LIST' 'PUBSUB NUMSUB socketio' 'ACL LOG 100'
        [ -z "$dry" ] || printf '%s\n' "$dry" | while IFS= read -r words; do printf 'ACL DRYRUN %s\r\n' "$words"; done
        printf '%s\r\n' INFO 'MODULE LIST' 'CONFIG GET *port' QUIT
    } | redis_say "$1" | base64 -w 0)
    [ -n "$answers" ] && echo "$answers"
}
