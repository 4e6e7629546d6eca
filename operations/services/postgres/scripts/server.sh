# How PostgreSQL is asked.

#include lib/containers.sh

# What the server at the address $1 (host:port) says to the role $2 that wants to use the database $3 and has not said a password: the
# kind of its message and the number in it, as in its protocol ("Message Formats"). Nothing that takes longer than 5 seconds. The
# message is read to its end: a server that is left in the middle of one logs it.
postgres_asks() (
    LC_ALL=C
    length=$((8 + 5 + ${#2} + 1 + 9 + ${#3} + 2)) host=${1%:*}
    host=${host#[} # an IPv6 address stands in brackets
    # shellcheck disable=SC2059,SC2016 # the length, as bytes; the inner shell's own words
    {
        printf "\\0\\0\\$(printf %03o $((length / 256)))\\$(printf %03o $((length % 256)))\\0\\3\\0\\0"
        printf 'user\0%s\0database\0%s\0\0' "$2" "$3"
    } | timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" && cat >&3 && set -- $(head -c 9 <&3 | od -An -v -t u1) && [ $# = 9 ] &&
        echo "$1 $(($8 * 256 + $9))" && head -c $(($4 * 256 + $5 - 8)) <&3 >/dev/null' postgres "${host%]}" "${1##*:}" 2>/dev/null
)
