# shellcheck shell=sh
# Brings the files of backup $2 back into the stack's folder $1; those that were not there then go. What redis accepts
# (users.acl) stays as it is: clients still log in with what they were started with.

root=$1
cd -- "$root" || exit 1
umask 077
#include mutex.sh
backup=backups/$2
case $2 in "" | .* | */*) false ;; *) [ -d "$backup" ] ;; esac || {
    echo "$root/$backup: there is no such backup. The others: $(ls -m backups 2>/dev/null)" >&2
    exit 1
}
new=.fleet-new

paths=$(cd -- "$backup" && find . -type f ! -name .absent ! -path ./secrets/redis/users.acl | cut -c 3-) || exit 1
clean() {
    printf '%s\n' "$paths" | while IFS= read -r path; do [ -z "$path" ] || rm -f -- "$path$new"; done
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

# all of them beside their targets first, so that a full disk changes nothing
printf '%s\n' "$paths" | while IFS= read -r path; do
    [ -n "$path" ] || continue
    mkdir -p -- "$(dirname -- "$path")" && cp -p -- "$backup/$path" "$path$new" && sync -- "$path$new" || exit 1
done || exit 1
printf '%s\n' "$paths" | while IFS= read -r path; do
    [ -n "$path" ] || continue
    cmp -s -- "$path" "$path$new" || say "restored $path"
    mv -f -- "$path$new" "$path" || exit 1
done || exit 1
[ ! -f "$backup/.absent" ] || while IFS= read -r path; do
    case $path in secrets/redis/users.acl) continue ;; esac
    [ ! -f "$path" ] || { rm -f -- "$path" && say "removed $path"; } || exit 1
done <"$backup/.absent"
