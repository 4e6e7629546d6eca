# shellcheck shell=bash
# Asks redis, the service $server of the project $project in folder $root, that does not let in with the login in $password_file: with
# each password that was found on the host, until one is right. Before its answers: `found`, the place in base64, the password's
# SHA-256; or `nowhere`. $users, each of whom is tried, and $dry: as ask.sh has them.

#include services/redis/login.sh

read -r container address < <(redis_container)
[ -n "$address" ] || exit 1
places=() passwords=() logins=()
while IFS=$'\t' read -r place password; do
    for name in $(redis_names); do
        places+=("$place") passwords+=("$password")
        logins+=("$(printf '%s\n' "$password" | redis_auth "$name")"$'\n')
    done
done < <(passwords_found "$container" | head -n 50)
# which of them is right: as many as were refused before it, and one
right=$({
    for login in "${logins[@]}"; do printf '%sPING\r\n' "$login"; done
    printf 'QUIT\r\n'
} | redis_say "$address:6379" | awk '/^-NOAUTH/ { refused++ } /^\+PONG/ { print refused + 0; exit }')
if [ -n "$right" ]; then
    hash=$(printf '%s' "${passwords[right]}" | sha256sum)
    printf 'found %s %s\n' "$(printf '%s' "${places[right]}" | base64 -w 0)" "${hash%% *}"
    login=${logins[right]}
else
    printf 'nowhere\n'
    login=$(redis_auth_of "$root/$password_file")$'\n'
fi
redis_questions "$address:6379"
