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
# which of them is right: as many as were refused before it, and one
right=$({
    for password in "${passwords[@]}"; do printf '%s\n' "$password" | redis_auth "$4" && printf 'PING\r\n'; done
    printf 'QUIT\r\n'
} | redis_say "$address" 6379 | awk '/^-NOAUTH/ { refused++ } /^\+PONG/ { print refused + 0; exit }')
if [ -n "$right" ]; then
    hash=$(printf '%s' "${passwords[right]}" | sha256sum)
    printf 'former\t%s\t%s\n' "${places[right]}" "${hash%% *}"
    printf '%s\n' "${passwords[right]}" | redis_ask "$address:6379" "$4"
else
    printf 'nowhere\n'
    { cat -- "$1/$5" 2>/dev/null || echo; } | redis_ask "$address:6379" "$4"
fi
