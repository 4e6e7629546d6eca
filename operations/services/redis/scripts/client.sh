# Speaks redis' own protocol through bash, without a client: a tenth of what `docker exec redis-cli` costs, and a password
# goes through a pipe and never into an argv.

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
# nothing that takes longer than 5 seconds
redis_say() {
    set -- "${1%:*}" "${1##*:}"
    set -- "${1#[}" "$2" # an IPv6 address stands in brackets
    # shellcheck disable=SC2016 # the inner shell's own words
    timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" && cat >&3 && exec cat <&3' redis "${1%]}" "$2" 2>/dev/null | head -c 1048576
}

# the same of a command after $login, in words: without what is said to the login and to QUIT
redis_command() {
    printf '%s%s\r\nQUIT\r\n' "$login" "$*" | redis_say "$address" | tr -d '\r\0' | sed '1d;$d'
}
