# shellcheck shell=sh
# What registries say that images are now, asked by this host's Docker: {image, digest, why} a line.
#   $asked   a line an image: its name, its registry, and a login as Docker's API takes it, or - for the one of the host's own config

# the login of the host's own docker config for the registry $1
own_login() {
    case $1 in docker.io) set -- https://index.docker.io/v1/ ;; esac
    jq --raw-output --arg registry "$1" '.auths[$registry].auth // empty | @base64d | split(":")
        | {username: .[0], password: (.[1:] | join(":"))} | @base64 | gsub("\\+"; "-") | gsub("/"; "_")' \
        "${DOCKER_CONFIG:-$HOME/.docker}/config.json" 2>/dev/null
}

printf '%s\n' "$asked" | while read -r image registry login; do
    case $image in *[!A-Za-z0-9./:_-]*) exit 1 ;; esac
    [ "$login" != - ] || login=$(own_login "$registry")
    # the login goes over standard input: an argument could be read by others
    answer=$(printf 'header = "X-Registry-Auth: %s"\n' "${login:-e30=}" | curl --config - --silent --max-time 30 \
        --unix-socket "$docker_socket" "http://docker/distribution/$image/json") || answer='{}'
    printf '%s\n' "$answer" | jq --ascii-output --compact-output --arg image "$image" \
        '{$image, digest: (.Descriptor.digest // ""), why: (.message // "no answer" | tostring[:300])}' || exit 1
done
