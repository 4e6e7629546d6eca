# Speaks redis' own protocol through bash, without a client: a tenth of what `docker exec redis-cli` costs, and a password
# goes through a pipe and never into an argv.

#include lib/containers.sh

# the id and the address of the container that is the service $server of the Compose project $project; of several nobody can tell
# which one is the project's, so none is asked
redis_container() {
    containers_of | while read -r id service state address _; do
        if [ "$service" = "$server" ] && [ "$state" = running ] && [ "$address" != - ]; then echo "$id $address"; fi
    done | awk '{ found = $0 } END { if (NR == 1) print found }'
}

# A command in redis' protocol; its words may hold any sign.
redis_words() {
    local LC_ALL=C word
    printf '*%s\r\n' $#
    # shellcheck disable=SC2016 # the protocol's own signs, not variables
    for word; do printf '$%s\r\n%s\r\n' "${#word}" "$word"; done
}

# An AUTH with the password on standard input, as the user $1. Redis 8.0 leaves out the answer to a wrong one when another command
# has come behind it: what tells is the answer to that.
redis_auth() {
    local password
    IFS= read -r password
    if [ "$1" = default ]; then redis_words AUTH "$password"; else redis_words AUTH "$1" "$password"; fi
}

# Who logs in with the file $1, whose first line is the password: the user that its second line names (`user app`), or the first of
# $users.
user_in() {
    local name
    name=$(sed -n '2s/^user \([A-Za-z0-9_.-]\{1,\}\)$/\1/p' -- "$1" 2>/dev/null)
    echo "${name:-${users%%$'\n'*}}"
}

password_in() {
    head -n 1 -- "$1" 2>/dev/null || echo
}

redis_auth_of() {
    password_in "$1" | redis_auth "$(user_in "$1")"
}

# what redis at the address $1 (host:port) answers to standard input, whose last command must be QUIT; not more than a megabyte, and
# nothing that takes longer than 5 seconds
redis_say() {
    local host=${1%:*}
    host=${host#[} # an IPv6 address stands in brackets
    # shellcheck disable=SC2016 # the inner shell's own words
    timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" && cat >&3 && cat <&3' redis "${host%]}" "${1##*:}" 2>/dev/null | head -c 1048576
}

# the same of a command after $login, in words: without what is said to the login and to QUIT
redis_command() {
    printf '%s%s\r\nQUIT\r\n' "$login" "$*" | redis_say "$address" | tr -d '\r\0' | sed '1d;$d'
}
