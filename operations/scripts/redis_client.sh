# Speaks redis' own protocol through bash, without a client: a tenth of what `docker exec redis-cli` costs, and a password
# goes through a pipe and never into an argv.

#include containers_of.sh

# the address of the running redis of the Compose project $1
redis_address() {
    containers_of "$1" | awk -F '\t' '$2 == "redis" && $3 == "running" && $6 != "" { sub(/,.*/, "", $6); print $6; exit }'
}

# An AUTH with the password on standard input, as the user $1. Redis 8.0 leaves out the answer to a wrong one when another command
# has come behind it: what tells is the answer to that.
redis_auth() {
    local LC_ALL=C password
    IFS= read -r password
    # shellcheck disable=SC2016 # the protocol's own signs, not variables
    if [ "$1" = default ]; then
        printf '*2\r\n$4\r\nAUTH\r\n$%s\r\n%s\r\n' "${#password}" "$password"
    else
        printf '*3\r\n$4\r\nAUTH\r\n$%s\r\n%s\r\n$%s\r\n%s\r\n' "${#1}" "$1" "${#password}" "$password"
    fi
}

# what redis at the address $1, port $2 answers to standard input; the last command must be QUIT
redis_say() {
    exec 3<>"/dev/tcp/$1/$2" || return 1
    cat >&3
    timeout 5 cat <&3
    exec 3>&-
}
