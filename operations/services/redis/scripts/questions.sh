# shellcheck shell=bash
#include services/redis/client.sh

# All that a snapshot wants to know of redis at the address $1 (host:port): what it says to the user $2, whose password is on
# standard input; base64, for much of it somebody else has written. Its order is that of the fact that reads it.
redis_questions() {
    local answers
    answers=$({
        printf 'PING\r\n'
        redis_auth "$2"
        printf '%s\r\n' PING 'CONFIG GET dir' "ACL GETUSER $2" 'CLIENT INFO' 'CLIENT LIST' 'PUBSUB NUMSUB socketio' \
            'ACL LOG 100' 'ACL LIST' QUIT
    } | redis_say "$1" | base64 -w 0)
    [ -n "$answers" ] && echo "$answers"
}

password_of() {
    cat -- "$root/$password_file" 2>/dev/null || echo
}
