# shellcheck shell=bash
# Asks redis of the stack in folder $1, project $2; where $3 is given, the redis at that host:port.

#include redis_client.sh

address=$3
if [ -z "$address" ]; then
    address=$(redis_address "$2")
    [ -n "$address" ] || exit 1
    address=$address:6379
fi
host=${address%:*}
host=${host#[} # an IPv6 address stands in brackets

{
    printf 'PING\r\n'
    { cat -- "$1/secrets/redis/password" 2>/dev/null || echo; } | redis_auth
    printf '%s\r\n' PING 'CONFIG GET dir' 'ACL GETUSER default' 'CLIENT INFO' 'CLIENT LIST' 'PUBSUB NUMSUB socketio' \
        'ACL LOG 100' QUIT
} | redis_say "${host%]}" "${address##*:}"
