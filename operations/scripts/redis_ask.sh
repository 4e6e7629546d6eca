# What redis at the address $1 (host:port) says to the user $2, whose password is on standard input: everything that a snapshot wants.
#include redis_client.sh
redis_ask() {
    local host=${1%:*} user=$2
    host=${host#[} # an IPv6 address stands in brackets
    {
        printf 'PING\r\n'
        redis_auth "$user"
        printf '%s\r\n' PING 'CONFIG GET dir' "ACL GETUSER $user" 'CLIENT INFO' 'CLIENT LIST' 'PUBSUB NUMSUB socketio' \
            'ACL LOG 100' 'ACL LIST' QUIT
    } | redis_say "${host%]}" "${1##*:}"
}
