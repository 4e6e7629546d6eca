# shellcheck shell=bash
# Asks redis of the stack in folder $1, project $2, that does not let $4 in with the password in the file $5: with each that was
# found on the host, until one is right. Before its answers: `former`, the place, the password's SHA-256; or `nowhere`.

#include redis_ask.sh
#include former.sh

address=$(redis_address "$2")
[ -n "$address" ] || exit 1
container=$(containers_of "$2" | awk -F '\t' '$2 == "redis" && $3 == "running" { print $1; exit }')
places=() passwords=()
while IFS=$'\t' read -r place password; do
    places+=("$place") passwords+=("$password")
done < <(former "$1" "$2" "$container")
right=$({
    for password in "${passwords[@]}"; do printf '%s\n' "$password" | redis_auth "$4"; done
    printf 'QUIT\r\n'
} | redis_say "$address" 6379 | grep -n -m 1 '^+OK' | cut -d : -f 1)
# the last OK is the answer to QUIT
if [ "${right:-0}" -ge 1 ] && [ "$right" -le ${#passwords[@]} ]; then
    hash=$(printf '%s' "${passwords[right - 1]}" | sha256sum)
    printf 'former\t%s\t%s\n' "${places[right - 1]}" "${hash%% *}"
    printf '%s\n' "${passwords[right - 1]}" | redis_ask "$address:6379" "$4"
else
    printf 'nowhere\n'
    { cat -- "$1/$5" 2>/dev/null || echo; } | redis_ask "$address:6379" "$4"
fi
