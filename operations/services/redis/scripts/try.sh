# shellcheck shell=bash
# Asks redis, the service $server of the project $project in folder $root, that does not let $user in with the password in
# $password_file: with each that was found on the host, until one is right. Before its answers: `found`, the place in base64, the
# password's SHA-256; or `nowhere`.

#include services/redis/questions.sh
#include services/redis/passwords.sh

read -r container address < <(redis_container)
[ -n "$address" ] || exit 1
places=() passwords=()
while IFS=$'\t' read -r place password; do
    places+=("$place") passwords+=("$password")
done < <(passwords_found "$container" | head -n 50)
# which of them is right: as many as were refused before it, and one
right=$({
    for password in "${passwords[@]}"; do printf '%s\n' "$password" | redis_auth "$user" && printf 'PING\r\n'; done
    printf 'QUIT\r\n'
} | redis_say "$address:6379" | awk '/^-NOAUTH/ { refused++ } /^\+PONG/ { print refused + 0; exit }')
if [ -n "$right" ]; then
    hash=$(printf '%s' "${passwords[right]}" | sha256sum)
    printf 'found %s %s\n' "$(printf '%s' "${places[right]}" | base64 -w 0)" "${hash%% *}"
    printf '%s\n' "${passwords[right]}" | redis_questions "$address:6379" "$user"
else
    printf 'nowhere\n'
    password_of | redis_questions "$address:6379" "$user"
fi
