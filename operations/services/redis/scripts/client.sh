# Speaks redis' own protocol through bash, or openssl where it wants TLS, without a client: a tenth of what `docker exec redis-cli` costs,
# and a password goes through a pipe and never into an argv.

#include lib/containers.sh

# A command in redis' protocol; its words may hold any sign.
redis_words() (
    LC_ALL=C
    printf '*%s\r\n' $#
    # shellcheck disable=SC2016 # the protocol's own signs, not variables
    for word; do printf '$%s\r\n%s\r\n' "${#word}" "$word"; done
)

# Sets `login`: an AUTH as the user $1 with the password $2. Redis 8.0 leaves out the answer to a wrong one when another command has
# come behind it: what tells is the answer to that.
redis_auth() {
    if [ "$1" = default ]; then shift; fi
    login="$(redis_words AUTH "$@")
"
}

# Sets `name` and `password`, which the file $1 logs in with, and `login`: its first line is the password, and its second one may name
# the user (`user app`); else it is the first of $users.
redis_auth_in() {
    name='' password=''
    # a pipe in its place would never end
    [ ! -f "$1" ] || { IFS= read -r password && IFS= read -r name; } 2>/dev/null <"$1"
    case $name in "user "?*) name=${name#user } ;; *) name= ;; esac
    case $name in "" | *[!A-Za-z0-9_.-]*) name=${users%%
*} ;; esac
    redis_auth "$name" "$password"
}

# what redis at the address $1 (host:port) answers to standard input, whose last command must be QUIT; not more than a megabyte, and
# nothing that takes longer than 5 seconds. With TLS where nobody listens without it, or $secure is yes: then only of a server that $ca, a
# file in $root, trusts.
redis_say() {
    set -- "${1%:*}" "${1##*:}" "$1"
    set -- "${1#[}" "$2" "$3" # an IPv6 address stands in brackets
    {
        # shellcheck disable=SC2016 # the inner shell's own words
        [ -z "$secure" ] && timeout 5 bash -c '{ exec 3<>"/dev/tcp/$1/$2"; } || exit 7; cat >&3 && exec cat <&3' redis "${1%]}" "$2"
        case $secure$? in 7 | yes*) redis_tls "$3" -quiet -verify_quiet -verify_return_error -CAfile "$root/$ca" ;; esac
    } 2>/dev/null | head -c 1048576
}

# TLS with the redis at the address $1 (host:port), as openssl with the further words has it, if that proves to be the one that is meant.
# Another host's is meant where $secure is yes, by its address; else the service $server, which has TLS on the next port.
redis_tls() (
    host=${1%:*} port=${1##*:} name=$server how=-verify_hostname
    if [ -n "$secure" ]; then name=${host#[} name=${name%]} how=-verify_ip; else port=$((port + 1)); fi
    shift
    timeout 5 openssl s_client "$@" "$how" "$name" -connect "$host:$port" 2>/dev/null
)

# the same of a command after $login, in words: without what is said to the login and to QUIT
redis_command() {
    printf '%s%s\r\nQUIT\r\n' "$login" "$*" | redis_say "$address" | tr -d '\r\0' | sed '1d;$d'
}
